import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { costRecords } from '#/db/schema/costs.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler, asUser } from '#/db/tenancy.ts';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import type { RunExit } from '#/domain/run-exit.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { completeRun, settleFromAfar, settleRun } from '#/services/jobs/finish-run.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';
import { noteStarted } from '#/services/jobs/launch-run.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { useDatabase } from '../../../test/database.ts';
import { addDataset, addJob, addPerson } from '../../../test/factories.ts';
import { brokenInvariants } from '../../../test/invariants.ts';
import { meterRuns } from './bill-runs.ts';
import { listCosts } from './list-costs.ts';

const db = useDatabase();
const TIMES = scaledPromiseTimes(1);
const HOUR_MS = 3_600_000;
const FAILED = { type: 'failed', failure: bareFailure('nan_loss', 'not a number.') } as const;
const LOST = { type: 'lost', failure: bareFailure('contact_lost', 'gone.') } as const;
const PAGE = { limit: 50, offset: 0 };

/** The record of a run whose owner measured so long; null: it measured nothing. */
const exit = (ran_ms: number | null): RunExit => ({
  code: 1,
  signal: null,
  stop_requested: null,
  fenced: false,
  orphans_killed: 0,
  oom_kills: 0,
  log_bytes_dropped: 0,
  ran_ms,
});

let user_id: string;
let worker_id: string;
beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  user_id = await addPerson(db);
  worker_id = randomUUID();
  await registerWorker({ id: worker_id, boot_id: 'boot', pid: 1, version: '0', facts: {} }, [
    { kind: 'cpu', uuid: 'cpu', name: 'CPU', memory_mb: 1 },
  ]);
});

/** The next attempt of what waits, begun at that instant: ten dollars an hour if not said otherwise. */
async function begin(began_at: Date | string): Promise<RunKey> {
  const run = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
  if (run === null) throw new Error('the scene needs a claim');
  await noteStarted(run, {});
  await db.asOwner('UPDATE lowrank.job_runs SET started_at = $1 WHERE job_id = $2 AND attempt = $3', [
    began_at,
    run.job_id,
    run.attempt,
  ]);
  return run;
}
async function add(hourly_rate = 10, fields: Record<string, unknown> = {}): Promise<string> {
  return addJob(db, user_id, { hourly_rate, ...fields });
}
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS);
const bill = async (id: string) => {
  const [job] = await db.asOwner<{ current_cost: string; final_cost: string | null }>(
    'SELECT current_cost, final_cost FROM lowrank.training_jobs WHERE id = $1',
    [id],
  );
  return { current: Number(job?.current_cost), final: job?.final_cost == null ? null : Number(job.final_cost) };
};
const records = async (id: string) =>
  (
    await db.asOwner<{ type: string; month: string; unit_price: string; quantity: string; amount: string }>(
      `SELECT type, to_char(billing_period, 'YYYY-MM') AS month, unit_price, quantity, amount FROM lowrank.cost_records
       WHERE job_id = $1 ORDER BY type, billing_period`,
      [id],
    )
  ).map(({ type, month, ...row }) => [type, month, Number(row.unit_price), Number(row.quantity), Number(row.amount)]);

describe('what a run costs', () => {
  test('grows while it trains, in one record however often it is looked at, and is no other job’s', async () => {
    const id = await add();
    const idle = await addJob(db, user_id, { hourly_rate: 99, held_at: new Date() });
    await begin(new Date(Date.now() - 1000));
    await meterRuns(worker_id);
    const first = await records(id);
    await db.asOwner(`UPDATE lowrank.job_runs SET started_at = started_at - interval '1 second'`);
    await Promise.all(Array.from({ length: 5 }, () => meterRuns(worker_id)));
    await meterRuns(worker_id);
    const later = await records(id);
    expect([first.at(-1)?.[0], later.at(-1)?.[0]]).toEqual(['compute', 'compute']);
    const hours = (rows: typeof first) => rows.reduce((sum, row) => sum + Number(row[3]), 0);
    expect(hours(later)).toBeGreaterThan(hours(first));
    expect(hours(later) * 3600).toBeLessThan(60);
    expect(await records(idle)).toEqual([]);
    expect((await bill(id)).final).toBeNull();
  });

  test('is the time that its owner measured, once, whoever was away meanwhile', async () => {
    const id = await add();
    const run = await begin(ago(5));
    await meterRuns(worker_id);
    expect((await bill(id)).current).toBeGreaterThan(49);
    // The worker is killed, the trainer ends after two hours, and the worker comes back at five.
    await meterRuns(worker_id);
    expect(await settleRun(run, FAILED, exit(2 * HOUR_MS), 0)).toBe('failed');
    expect((await records(id)).reduce((sum, row) => sum + Number(row[3]), 0)).toBeCloseTo(2, 5);
    expect(await bill(id)).toEqual({ current: 20, final: 20 });
    await expect(settleRun(run, FAILED, exit(9 * HOUR_MS), 0)).rejects.toMatchObject({ code: 'fenced' });
    await meterRuns(worker_id);
    expect(await bill(id)).toEqual({ current: 20, final: 20 });
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('falls into the months in which it ran, by UTC', async () => {
    const id = await add();
    const run = await begin('2026-01-31T22:30:00Z');
    await settleRun(run, FAILED, exit(2 * HOUR_MS), 0);
    expect(await records(id)).toEqual([
      ['compute', '2026-01', 10, 1.5, 15],
      ['compute', '2026-02', 10, 0.5, 5],
    ]);
    expect(await bill(id)).toEqual({ current: 20, final: 20 });
  });

  test('leaves nothing in a month that it seemed to reach and did not', async () => {
    const id = await add();
    const run = await begin('2026-01-31T23:00:00Z');
    await meterRuns(worker_id);
    expect((await records(id)).length).toBeGreaterThan(1);
    await settleRun(run, FAILED, exit(HOUR_MS), 0);
    expect(await records(id)).toEqual([['compute', '2026-01', 10, 1, 10]]);
  });

  test('adds up over attempts, and is settled only when the job is over', async () => {
    const id = await add(3);
    expect(await settleRun(await begin('2026-03-01T00:00:00Z'), LOST, exit(HOUR_MS), 0)).toBe('queued');
    expect(await bill(id)).toEqual({ current: 3, final: null });
    await db.asOwner('UPDATE lowrank.training_jobs SET not_before = NULL');
    await settleRun(await begin('2026-03-02T00:00:00Z'), FAILED, exit(HOUR_MS / 2), 0);
    expect(await records(id)).toEqual([['compute', '2026-03', 3, 1.5, 4.5]]);
    expect(await bill(id)).toEqual({ current: 4.5, final: 4.5 });
  });

  test('is what was seen of it where nobody measured: by the last look when its host is gone, up to now otherwise', async () => {
    const gone = await add();
    const run = await begin(ago(2));
    await meterRuns(worker_id);
    const seen = await bill(gone);
    await db.asOwner(`UPDATE lowrank.job_runs SET started_at = started_at - interval '3 hours'`);
    await asScheduler((tx) => settleFromAfar(tx, run, LOST.failure, 0));
    expect((await bill(gone)).current).toBe(seen.current);
    await db.asOwner('DELETE FROM lowrank.training_jobs');
    await db.asOwner('UPDATE lowrank.user_queues SET queued = 0, active = 0');
    const old = await add();
    await settleRun(await begin(ago(2)), FAILED, exit(null), 0);
    expect((await bill(old)).final).toBeGreaterThanOrEqual(20);
    expect((await bill(old)).final).toBeLessThan(20.5);
  });

  test('is nothing where no trainer ran: not started, failed to launch, cancelled while it waited', async () => {
    const id = await add();
    const unborn = async () => {
      const run = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
      if (run === null) throw new Error('the scene needs a claim');
      await db.asOwner(`UPDATE lowrank.job_runs SET started_at = now() - interval '1 hour'`);
      await meterRuns(worker_id);
      return run;
    };
    expect(await settleRun(await unborn(), { type: 'not_started' }, null, 0)).toBe('queued');
    await settleRun(await unborn(), { type: 'failed', failure: bareFailure('launch_failed', 'no.') }, null, 0);
    const waiting = await add();
    await cancelJob({ user_id, role: 'user' }, waiting);
    for (const job of [id, waiting]) expect([await records(job), await bill(job)]).toEqual([[], { current: 0, final: 0 }]);
  });

  test('of a completed one has what is kept beside it: dataset and artifact', async () => {
    const dataset_id = await addDataset(db, user_id, { file_size: 4_000_000_000 });
    const id = await add(10, { dataset_id });
    const artifact = { id: randomUUID(), name: 'a', storage_path: 'x', files: [], sha256: 'x', size: 1_000_000_000 };
    const described = { quality_metrics: {}, training_summary: {}, passport: {} };
    await completeRun(await begin('2026-03-01T00:00:00Z'), { ...artifact, ...described }, exit(HOUR_MS));
    const now = new Date().toISOString().slice(0, 7);
    expect(await records(id)).toEqual([
      ['compute', '2026-03', 10, 1, 10],
      ['storage', now, 0.1, 5, 0.5],
    ]);
    expect(await bill(id)).toEqual({ current: 10.5, final: 10.5 });
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('of one’s own device without a price is hours at nothing', async () => {
    const id = await add(0);
    await settleRun(await begin('2026-03-01T00:00:00Z'), FAILED, exit(3 * HOUR_MS), 0);
    expect(await records(id)).toEqual([['compute', '2026-03', 0, 3, 0]]);
    expect(await bill(id)).toEqual({ current: 0, final: 0 });
  });

  test('is each month’s part of all its attempts, whenever they began and however long they took', async () => {
    const attempts = fc.array(
      fc.record({
        began: fc.integer({ min: Date.UTC(2025, 0), max: Date.UTC(2026, 6) }),
        ran_ms: fc.integer({ min: 100, max: 70 * 24 * HOUR_MS }),
      }),
      { minLength: 1, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(attempts, fc.integer({ min: 0, max: 100_000 }), async (runs, cents) => {
        await db.asOwner('DELETE FROM lowrank.training_jobs');
        const id = await add(cents / 100);
        const expected = new Map<string, number>();
        for (const [at, { began, ran_ms }] of runs.entries()) {
          await db.asOwner('UPDATE lowrank.training_jobs SET not_before = NULL');
          const last = at === runs.length - 1;
          await settleRun(await begin(new Date(began)), last ? FAILED : LOST, exit(ran_ms), 0);
          for (let from = began; from < began + ran_ms; ) {
            const day = new Date(from);
            const until = Math.min(began + ran_ms, Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1));
            const month = day.toISOString().slice(0, 7);
            expected.set(month, (expected.get(month) ?? 0) + (until - from) / HOUR_MS);
            from = until;
          }
        }
        // Hours are kept to six decimals: a part of less than 1.8 ms is none.
        const months = [...expected].flatMap(([month, hours]) => (Math.round(hours * 1e6) > 0 ? [month] : []));
        const told = await records(id);
        expect(told.map((row) => row[1])).toEqual(months.sort());
        for (const [, month, , hours] of told) expect(hours).toBeCloseTo(expected.get(String(month)) ?? -1, 5);
        expect(await brokenInvariants(db, [])).toEqual([]);
      }),
      { numRuns: 25, examples: [[[{ began: Date.UTC(2026, 6) - 1, ran_ms: 100 }], 0]] },
    );
  });
});

describe('costs are read', () => {
  const ctx = (id: string) => ({ user_id: id, role: 'user' as const });
  async function scene(): Promise<string[]> {
    const made: string[] = [];
    for (const [began, hours] of [
      ['2026-01-31T23:00:00Z', 2],
      ['2026-02-10T00:00:00Z', 3],
    ] as const) {
      made.push(await add(10));
      await settleRun(await begin(began), FAILED, exit(hours * HOUR_MS), 0);
    }
    return made;
  }

  test('by month and by job, in pages that follow each other, with the sum of all', async () => {
    const [first = '', second = ''] = await scene();
    const months = await listCosts(ctx(user_id), { by: 'month', ...PAGE });
    expect(months).toEqual({
      costs: [
        {
          billing_period: '2026-02',
          job: null,
          jobs: 2,
          compute: { hours: 4, amount: 40 },
          storage: { gb: 0, amount: 0 },
          amount: 40,
        },
        {
          billing_period: '2026-01',
          job: null,
          jobs: 1,
          compute: { hours: 1, amount: 10 },
          storage: { gb: 0, amount: 0 },
          amount: 10,
        },
      ],
      total: 2,
      total_is_estimate: false,
      next_cursor: null,
      amount: 50,
    });
    const pages = [];
    for (const offset of [0, 1, 2, 3]) pages.push(await listCosts(ctx(user_id), { by: 'job', limit: 1, offset }));
    expect(pages.map(({ total, amount }) => [total, amount])).toEqual(Array(4).fill([3, 50]));
    expect(pages.flatMap(({ costs }) => costs.map((one) => [one.billing_period, one.job?.id, one.amount]))).toEqual([
      ['2026-02', second, 30],
      ['2026-02', first, 10],
      ['2026-01', first, 10],
    ]);
    const january = await listCosts(ctx(user_id), { by: 'job', billing_period: '2026-01', ...PAGE });
    expect([january.total, january.amount]).toEqual([1, 10]);
    expect((await listCosts(ctx(user_id), { by: 'month', job_id: second, ...PAGE })).amount).toBe(30);
  });

  test('of deleted jobs, too', async () => {
    const [first = ''] = await scene();
    await db.asOwner('UPDATE lowrank.training_jobs SET deleted_at = now() WHERE id = $1', [first]);
    expect((await listCosts(ctx(user_id), { by: 'job', job_id: first, ...PAGE })).total).toBe(2);
  });

  test('by nobody else, and written by nobody', async () => {
    const [first = ''] = await scene();
    const stranger = await addPerson(db);
    for (const by of ['month', 'job'] as const) {
      const none = { costs: [], total: 0, total_is_estimate: false, amount: 0, next_cursor: null };
      expect(await listCosts(ctx(stranger), { by, ...PAGE })).toEqual(none);
      expect(await listCosts(ctx(stranger), { by, job_id: first, ...PAGE })).toEqual(none);
    }
    const row = {
      job_id: first,
      user_id,
      type: 'compute' as const,
      billing_period: '2026-05-01',
      unit_price: '1',
      quantity: '1',
      amount: '1',
    };
    const denied = { cause: expect.objectContaining({ code: '42501' }) };
    await expect(asUser(user_id, (tx) => tx.insert(costRecords).values(row))).rejects.toMatchObject(denied);
    await expect(asUser(user_id, (tx) => tx.update(costRecords).set({ amount: '0' }))).rejects.toMatchObject(denied);
    await expect(asUser(user_id, (tx) => tx.delete(costRecords))).rejects.toMatchObject(denied);
    await expect(asUser(user_id, (tx) => tx.update(trainingJobs).set({ current_cost: '0' }))).rejects.toMatchObject(denied);
    await asScheduler((tx) => tx.insert(costRecords).values(row));
  });
});
