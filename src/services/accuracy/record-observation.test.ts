import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { runGroups, runObservations } from '#/db/schema/foresight.ts';
import { asScheduler, asUser } from '#/db/tenancy.ts';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { FORMULAS, featureKey, type StoredForecast } from '#/domain/foresight/learning/observed-run.ts';
import type { RunExit } from '#/domain/run-exit.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { completeRun, settleFromAfar, settleRun } from '#/services/jobs/finish-run.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';
import { noteStarted } from '#/services/jobs/launch-run.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson, addRow } from '../../../test/factories.ts';
import { addObservation, someFeatures, someForecast, someHello, someMeasured, someProbe } from '../../../test/foretold.ts';
import { readCorrections } from './read-corrections.ts';
import { recordObservation } from './record-observation.ts';

const db = useDatabase();
const TIMES = scaledPromiseTimes(1);
const EXIT: RunExit = {
  code: 0,
  signal: null,
  stop_requested: null,
  fenced: false,
  orphans_killed: 0,
  oom_kills: 0,
  log_bytes_dropped: 0,
  ran_ms: 1_800_000,
};
const NAN = { type: 'failed', failure: bareFailure('nan_loss', 'not a number.') } as const;
const OUT_OF_MEMORY = { type: 'failed', failure: bareFailure('out_of_memory', 'too much.') } as const;
const LOST = { type: 'lost', failure: bareFailure('contact_lost', 'gone.') } as const;

let owner: string;
let worker_id: string;
beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  await db.asOwner('DELETE FROM lowrank.run_groups');
  owner = await addPerson(db);
  worker_id = randomUUID();
  await registerWorker({ id: worker_id, boot_id: 'boot', pid: 1, version: '0', facts: {} }, [
    { kind: 'gpu', uuid: 'GPU-1', name: 'NVIDIA L4', memory_mb: 23_034 },
  ]);
});

/** A job of which something was foretold, claimed, and its trainer's words so far. */
async function begin(words: Record<string, Record<string, unknown>>, forecast: StoredForecast | null = someForecast()) {
  const id = await addJob(db, owner, { hourly_rate: 2, config: forecast === null ? {} : { forecast } });
  const run = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
  if (run === null) throw new Error('the scene needs a claim');
  await noteStarted(run, {});
  for (const [at, [type, data]] of Object.entries(words).entries())
    await addRow(db, 'lowrank.job_events', { job_id: id, user_id: owner, seq: 100 + at, type, attempt: 1, data });
  return run;
}
const MEASURED = { hello: someHello(), probe: someProbe() };
const complete = (run: RunKey) =>
  completeRun(
    run,
    {
      id: randomUUID(),
      name: 'a',
      storage_path: 'x',
      files: [],
      sha256: 'a',
      size: 1,
      quality_metrics: {},
      training_summary: {},
      passport: {},
    },
    EXIT,
  );
const observations = () => asScheduler((tx) => tx.select().from(runObservations));
const groups = () => asScheduler((tx) => tx.select().from(runGroups));
const correctionsOf = (user_id: string) => asUser(user_id, (tx) => readCorrections(tx, user_id));

describe('a finished run', () => {
  test('is kept with what was foretold and measured, what it cost, and its kind’s sum', async () => {
    const run = await begin(MEASURED);
    expect(await complete(run)).toBe('completed');
    const [kept] = await observations();
    expect(kept).toMatchObject({
      id: run.job_id,
      user_id: owner,
      outcome: 'completed',
      gpu: 'L4',
      method: 'lora',
      feature_key: featureKey(someFeatures()),
      forecast: someForecast(),
      measured: { device_bytes: 7.4e9, seconds_per_step: 0.55, hours: expect.closeTo(0.5, 6), cost: expect.closeTo(1, 1) },
      memory_residual: expect.closeTo(Math.log(7.4 / 8), 10),
      time_residual: expect.closeTo(Math.log(1.1), 10),
      memory_at_least: null,
    });
    expect(await groups()).toEqual([
      {
        gpu: 'L4',
        stack_version: kept?.stack_version,
        method: 'lora',
        formulas: FORMULAS,
        turn: 1,
        memory: expect.objectContaining({ runs: 1, covered: 1, worst_error: expect.closeTo(0.075, 10) }),
        time: expect.objectContaining({ runs: 1, covered: 1, worst_error: expect.closeTo(0.1, 10) }),
      },
    ]);
  });

  test('that failed or was cancelled counts by what it measured, without hours and cost', async () => {
    expect(await settleRun(await begin(MEASURED), NAN, EXIT, 0)).toBe('failed');
    expect(await settleRun(await begin(MEASURED), { type: 'cancelled' }, EXIT, 0)).toBe('cancelled');
    const kept = await observations();
    expect(kept.map(({ outcome }) => outcome).sort()).toEqual(['cancelled', 'failed']);
    for (const { measured } of kept) expect(measured).toMatchObject({ device_bytes: 7.4e9, hours: null, cost: null });
    expect((await groups())[0]?.memory).toMatchObject({ runs: 2 });
  });

  test('for its figures alone is kept without hours and cost', async () => {
    const run = await begin(MEASURED);
    await db.asOwner(`UPDATE lowrank.training_jobs SET config = config || '{"spec": {"probe_only": true}}'`);
    expect(await completeRun(run, null, EXIT)).toBe('completed');
    expect(await observations()).toMatchObject([
      { outcome: 'completed', measured: { device_bytes: 7.4e9, hours: null, cost: null } },
    ]);
  });

  test('that went out of memory tells a lower bound and is averaged into no memory', async () => {
    const words = { ...MEASURED, error: { code: 'out_of_memory' } };
    expect(await settleRun(await begin(words), OUT_OF_MEMORY, EXIT, 0)).toBe('failed');
    const [kept] = await observations();
    expect(kept).toMatchObject({ memory_residual: null, memory_at_least: expect.closeTo(Math.log(23.034 / 8), 10) });
    expect((await groups())[0]).toMatchObject({ memory: { runs: 0 }, time: { runs: 1 } });
  });

  test('is kept too when its host vanished for good, and not while it is started again', async () => {
    const run = await begin(MEASURED);
    await asScheduler((tx) => settleFromAfar(tx, run, LOST.failure, 0));
    expect(await observations()).toEqual([]);
    await db.asOwner(`UPDATE lowrank.training_jobs SET retry_count = 99, not_before = NULL`);
    const again = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
    // Its device is still leased to the run that vanished.
    expect(again).toBeNull();
    await db.asOwner(`UPDATE lowrank.gpu_leases SET released_at = now()`);
    const second = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
    if (second === null) throw new Error('the scene needs a claim');
    await noteStarted(second, {});
    await asScheduler((tx) => settleFromAfar(tx, second, LOST.failure, 0));
    expect(await observations()).toMatchObject([{ outcome: 'failed', id: run.job_id }]);
  });

  test.each([
    ['nothing was foretold', MEASURED, null],
    ['its trainer never stood ready', {}, someForecast()],
  ])('is not kept where %s', async (_, words, forecast) => {
    expect(await complete(await begin(words, forecast))).toBe('completed');
    expect([await observations(), await groups()]).toEqual([[], []]);
  });

  test('on another device than was asked about is kept and says nothing of the formulas', async () => {
    await complete(await begin(MEASURED, someForecast({ gpu: 'A100-80GB' })));
    expect(await observations()).toMatchObject([{ gpu: 'L4', memory_residual: null, time_residual: null }]);
    expect(await groups()).toEqual([]);
  });

  test('is one however often its end is written', async () => {
    const run = await begin(MEASURED);
    await complete(run);
    for (let at = 0; at < 3; at++) await asScheduler((tx) => recordObservation(tx, run.job_id, 'completed'));
    expect(await observations()).toHaveLength(1);
    expect((await groups())[0]?.memory.runs).toBe(1);
  });

  test.each([
    ['that are beyond every number', 1e303],
    ['that no device has', 1e290],
  ])('whose trainer told figures %s leaves everybody’s forecasts as they were', async (_, absurd) => {
    await complete(await begin(MEASURED));
    const before = (await correctionsOf(owner)).groups;
    const probe = someProbe({ device_memory_mb: absurd, peak_reserved_mb: absurd, expected_seconds_per_step: absurd });
    expect(await complete(await begin({ ...MEASURED, probe }))).toBe('completed');
    expect((await correctionsOf(await addPerson(db))).groups).toEqual(before);
    expect((await groups())[0]).toMatchObject({ memory: { runs: 1 }, time: { runs: 1 } });
  });

  test('counts beside others that end at the same moment', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 8 }, () => addJob(db, owner, { status: 'completed', config: { forecast: someForecast() } })),
    );
    for (const job_id of jobs)
      for (const [at, [type, data]] of Object.entries(MEASURED).entries())
        await addRow(db, 'lowrank.job_events', { job_id, user_id: owner, seq: 100 + at, type, attempt: 1, data });
    await Promise.all(jobs.map((id) => asScheduler((tx) => recordObservation(tx, id, 'completed'))));
    expect((await groups())[0]).toMatchObject({ memory: { runs: 8 }, time: { runs: 8 } });
  });

  test('counts still when somebody else has ended more than count since', async () => {
    await complete(await begin(MEASURED));
    const stack_version = (await groups())[0]?.stack_version;
    const busy = await addPerson(db);
    const ended = () => addJob(db, busy, { status: 'completed', config: { forecast: someForecast() } });
    const exact = { stack_version, measured: someMeasured({ device_bytes: 8e9 }), memory_residual: 0 };
    for (let at = 0; at < 205; at++) await addObservation(db, busy, await ended(), exact);
    const last = await ended();
    const words = { hello: someHello(), probe: someProbe({ device_memory_mb: 8000 }) };
    for (const [at, [type, data]] of Object.entries(words).entries())
      await addRow(db, 'lowrank.job_events', { job_id: last, user_id: busy, seq: 100 + at, type, attempt: 1, data });
    await asScheduler((tx) => recordObservation(tx, last, 'completed'));
    expect((await groups())[0]?.memory).toMatchObject({ runs: 200, worst_error: expect.closeTo(0.075, 10) });
  });
});

describe('what corrects somebody’s forecasts', () => {
  test('is everybody’s by kind, the newest first, and of single runs one’s own alone', async () => {
    await complete(await begin(MEASURED));
    const stranger = await addPerson(db);
    const [mine, theirs] = [await correctionsOf(owner), await correctionsOf(stranger)];
    const group = { gpu: 'L4', method: 'lora', memory: { runs: 1, mean: expect.closeTo(Math.log(7.4 / 8), 10), variance: 0 } };
    expect(mine.groups).toMatchObject([group]);
    expect(theirs.groups).toEqual(mine.groups);
    expect(mine.own).toMatchObject([
      { gpu: 'L4', key: featureKey(someFeatures()), memory: expect.closeTo(Math.log(7.4 / 8), 10) },
    ]);
    expect(theirs.own).toEqual([]);
    expect(JSON.stringify(theirs)).not.toContain(owner);
    const seen = await asUser(stranger, (tx) => tx.select().from(runObservations));
    expect(seen).toEqual([]);
  });

  test('has the stack first that a run ended on last', async () => {
    const newer = someHello({ versions: { ...someHello().versions, torch: '2.14.0' } });
    await complete(await begin(MEASURED));
    await complete(await begin({ ...MEASURED, hello: newer }));
    const stacks = async () => (await correctionsOf(owner)).groups.map(({ stack_version }) => stack_version.slice(0, 10));
    expect(await stacks()).toEqual(['torch 2.14', 'torch 2.13']);
    await complete(await begin(MEASURED));
    expect(await stacks()).toEqual(['torch 2.13', 'torch 2.14']);
  });

  test('is nothing that other formulas were held against', async () => {
    await complete(await begin(MEASURED, someForecast({ formulas: 0 })));
    await addObservation(db, owner, await addJob(db, owner, { status: 'completed' }), { formulas: 0 });
    expect(await correctionsOf(owner)).toEqual({ groups: [], own: [] });
  });

  test('is told the scheduler for one person, too: a job that waited for its model is foretold by it', async () => {
    await complete(await begin(MEASURED));
    const stranger = await addPerson(db);
    const [mine, theirs] = await asScheduler(async (tx) => [
      await readCorrections(tx, owner),
      await readCorrections(tx, stranger),
    ]);
    expect([mine?.own.length, theirs?.own.length]).toEqual([1, 0]);
  });
});
