import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { AUTOMATIC_RESTARTS_MAX } from '#/domain/constants.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from '../../../test/factories.ts';
import { brokenInvariants } from '../../../test/invariants.ts';
import { registerWorker } from '../machine/register-worker.ts';
import { claimJob, type PassedOver } from './claim-job.ts';
import { settleRun } from './finish-run.ts';
import type { RunKey } from './hold-run.ts';
import { noteStarted } from './launch-run.ts';

const db = useDatabase();
const LEASE_MS = 30_000;
const EXIT = {
  code: 143,
  signal: null,
  stop_requested: null,
  fenced: false,
  orphans_killed: 0,
  oom_kills: 0,
  log_bytes_dropped: 0,
  ran_ms: 1,
};
let worker_id: string;

async function addWorker(devices: number): Promise<string> {
  const id = randomUUID();
  const gpus = Array.from({ length: devices }, (_, index) => ({
    kind: 'gpu' as const,
    uuid: `GPU-${index}`,
    name: 'Test',
    memory_mb: 1,
  }));
  await registerWorker({ id, boot_id: 'boot', pid: 1, version: '0', facts: {} }, gpus);
  return id;
}

const claim = () => claimJob(worker_id, 'process', LEASE_MS);
const settle = (run: RunKey) => settleRun(run, { type: 'cancelled' }, null, 0);

beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  worker_id = await addWorker(64);
});

/** Jobs of one person that share their dataset and model, in the order given. */
async function addJobs(user_id: string, fields: Record<string, unknown>[]): Promise<string[]> {
  const shared = { dataset_id: await addDataset(db, user_id), base_model_id: await addBaseModel(db) };
  const ids: string[] = [];
  for (const [index, more] of fields.entries()) {
    ids.push(await addJob(db, user_id, { ...shared, queued_at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)), ...more }));
  }
  return ids;
}

describe('a claim', () => {
  test('moves the job, takes a slot and a device and opens a run, all at once', async () => {
    const user = await addPerson(db);
    const [id] = await addJobs(user, [{}]);
    expect(await claim()).toEqual({ job_id: id, attempt: 1, epoch: 1 });
    const [job] = await db.asOwner(
      'SELECT status, slot, worker_id, current_stage, lease_until > clock_timestamp() AS leased FROM lowrank.training_jobs',
    );
    expect(job).toEqual({ status: 'initializing', slot: 1, worker_id, current_stage: 'starting', leased: true });
    expect(await db.asOwner('SELECT attempt, epoch FROM lowrank.job_runs')).toEqual([{ attempt: 1, epoch: 1 }]);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('goes by priority, then by age, and passes over what is held or waits', async () => {
    const user = await addPerson(db);
    await db.asOwner('UPDATE lowrank.user_queues SET active_max = 9 WHERE user_id = $1', [user]);
    await db.asOwner('INSERT INTO lowrank.job_slots (user_id, slot) SELECT $1, generate_series(3, 9)', [user]);
    const later = new Date(Date.now() + 3_600_000);
    const ids = await addJobs(user, [
      {},
      { priority: 5 },
      {},
      { held_at: new Date() },
      { not_before: later, priority: 9 },
      { priority: -1 },
    ]);
    const order = [await claim(), await claim(), await claim(), await claim(), await claim()];
    expect(order.map((run) => run && ids.indexOf(run.job_id))).toEqual([1, 0, 2, 5, null]);
  });

  test('leaves a paused job to the host on which its checkpoint lies, and keeps nothing else up for it', async () => {
    const user = await addPerson(db);
    const [paused, other] = await addJobs(user, [{ priority: 5 }, {}]);
    const elsewhere = await addWorker(2);
    const first = await claim();
    if (first === null) throw new Error('nothing was claimed');
    await noteStarted(first, { executor: 'process' });
    await settleRun(first, { type: 'paused' }, { ...EXIT, stop_requested: 'pause' }, 0);
    await db.asOwner('UPDATE lowrank.training_jobs SET held_at = NULL, pause_requested_at = NULL WHERE id = $1', [paused]);
    const claimElsewhere = () => claimJob(elsewhere, 'process', LEASE_MS);
    expect([first.job_id, (await claimElsewhere())?.job_id, await claimElsewhere()]).toEqual([paused, other, null]);
    // Paused again before it was launched, it still has the checkpoint of the run before.
    const second = await claim();
    if (second === null) throw new Error('its own host did not claim it');
    await settleRun(second, { type: 'paused' }, null, 0);
    await db.asOwner('UPDATE lowrank.training_jobs SET held_at = NULL, pause_requested_at = NULL WHERE id = $1', [paused]);
    expect([second.job_id, await claimElsewhere(), (await claim())?.job_id]).toEqual([paused, null, paused]);
    // A run that was lost has nothing that its host alone could go on with for its owner.
    await db.asOwner(`UPDATE lowrank.job_runs SET handle = '{}' WHERE job_id = $1 AND attempt = 3`, [paused]);
    const [row] = await db.asOwner<{ epoch: number }>('SELECT epoch FROM lowrank.training_jobs WHERE id = $1', [paused]);
    const lost = { job_id: paused ?? '', attempt: 3, epoch: row?.epoch ?? 0 };
    await settleRun(lost, { type: 'lost', failure: bareFailure('contact_lost', 'x') }, null, 0);
    expect((await claimElsewhere())?.job_id).toBe(paused);
  });

  test("takes turns between users, whatever the length of one's queue", async () => {
    const hog = await addPerson(db);
    const other = await addPerson(db);
    await addJobs(
      hog,
      Array.from({ length: 30 }, () => ({ priority: 10 })),
    );
    const [first] = await addJobs(other, [{ priority: -10 }]);
    const runs = [await claim(), await claim()];
    expect(runs.map((run) => run?.job_id)).toContain(first);
  });

  test('serves a user who was never served before one who was', async () => {
    const served = await addPerson(db);
    await addJobs(served, [{}, {}]);
    await settle((await claim())!);
    const fresh = await addPerson(db);
    const [first] = await addJobs(fresh, [{}]);
    expect((await claim())?.job_id).toBe(first);
  });

  test('never gives a user more active jobs than slots, under many claimers and endings at once', async () => {
    for (let user = 0; user < 5; user++) await addJobs(await addPerson(db), Array(20).fill({}));
    const workers: string[] = [];
    for (let at = 0; at < 16; at++) workers.push(await addWorker(2));
    let most = 0;
    let claimed = 0;
    let claiming = true;
    const sampler = async () => {
      while (claiming) {
        const [row] = await db.asOwner<{ n: number }>(
          'SELECT coalesce(max(n), 0)::int AS n FROM (SELECT count(*) AS n FROM lowrank.training_jobs WHERE slot IS NOT NULL GROUP BY user_id) a',
        );
        most = Math.max(most, row?.n ?? 0);
      }
    };
    const claimer = async (id: string) => {
      for (let round = 0; round < 12; round++) {
        const run = await claimJob(id, 'process', LEASE_MS);
        if (run === null) continue;
        claimed++;
        await settle(run);
      }
    };
    const sampled = sampler();
    await Promise.all(workers.map(claimer));
    claiming = false;
    await sampled;
    expect(claimed).toBeGreaterThan(60);
    expect(most).toBe(2);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('gives no device to two runs and none that is quarantined', async () => {
    worker_id = await addWorker(2);
    await db.asOwner("UPDATE lowrank.gpu_devices SET quarantined_at = now() WHERE worker_id = $1 AND uuid = 'GPU-1'", [
      worker_id,
    ]);
    const one = await addPerson(db);
    const two = await addPerson(db);
    await addJobs(one, [{}]);
    await addJobs(two, [{}]);
    const first = await claim();
    expect(first).not.toBeNull();
    expect(await claim()).toBeNull();
    await settle(first!);
    expect(await claim()).not.toBeNull();
  });

  test('finds nothing where every user is at the limit', async () => {
    const user = await addPerson(db);
    await addJobs(user, [{}, {}, {}]);
    expect([await claim(), await claim(), await claim()].map((run) => run !== null)).toEqual([true, true, false]);
  });

  test('goes on to the next user when all that a user has must wait', async () => {
    const waiting = await addPerson(db);
    await addJobs(waiting, [{ not_before: new Date(Date.now() + 3_600_000) }]);
    const ready = await addPerson(db);
    await db.asOwner('UPDATE lowrank.user_queues SET last_claimed_at = now() WHERE user_id = $1', [ready]);
    const [id] = await addJobs(ready, [{}]);
    expect((await claim())?.job_id).toBe(id);
  });

  test("reads one row of a long queue, by the queue's own index", async () => {
    const user = await addPerson(db);
    const [one] = await addJobs(user, [{}]);
    await db.asOwner('SET session_replication_role = replica');
    await db.asOwner(
      `INSERT INTO lowrank.training_jobs (user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config, total_epochs, total_steps)
       SELECT user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config, total_epochs, total_steps
       FROM lowrank.training_jobs, generate_series(1, 3000) WHERE id = $1`,
      [one],
    );
    // Half of them go first, and are for what this host lacks.
    await db.asOwner(
      `UPDATE lowrank.training_jobs SET priority = 5, gpu_config = '{"type": "H100", "count": 8}' WHERE get_byte(uuid_send(id), 15) % 2 = 0 AND id <> $1`,
      [one],
    );
    await db.asOwner('SET session_replication_role = origin');
    await db.asOwner('UPDATE lowrank.user_queues SET queued = 3001 WHERE user_id = $1', [user]);
    await db.asOwner('ANALYZE lowrank.training_jobs');
    // A session tells its counts when it ends.
    const sessions = "FROM pg_stat_activity WHERE application_name = 'lowrank-scheduler' AND datname = current_database()";
    const read = async () => {
      await db.asOwner(`SELECT pg_terminate_backend(pid, 5000) ${sessions}`);
      await db.asOwner('SELECT pg_stat_clear_snapshot()');
      const [row] = await db.asOwner<{ scans: number; rows: number }>(
        "SELECT idx_scan::int AS scans, idx_tup_fetch::int AS rows FROM pg_stat_user_indexes WHERE indexrelname = 'training_jobs_queue_by_need'",
      );
      return row ?? { scans: 0, rows: 0 };
    };
    const before = await read();
    expect((await claim())?.job_id).toBeDefined();
    const after = await read();
    expect(after.scans).toBeGreaterThan(before.scans);
    expect(after.rows - before.rows).toBeLessThan(10);
  });
});

describe('a job whose row makes its claim throw', () => {
  const job = async (id: string | undefined) => (await db.asOwner('SELECT * FROM lowrank.training_jobs WHERE id = $1', [id]))[0];
  /** As many attempts as its column holds: the next number is none. */
  const wearOut = (id: string | undefined) => db.asOwner('UPDATE lowrank.training_jobs SET attempt = 32767 WHERE id = $1', [id]);
  /** Its next event has a place that is taken, so that it cannot move at all. */
  const nailDown = (id: string | undefined) =>
    db.asOwner(
      `INSERT INTO lowrank.job_events (job_id, user_id, seq, type, attempt)
       SELECT id, user_id, event_seq + 1, 'state', 0 FROM lowrank.training_jobs WHERE id = $1`,
      [id],
    );
  let told: PassedOver[];
  const tolerant = () => claimJob(worker_id, 'process', LEASE_MS, { pause_ms: 5_000, tell: (fault) => told.push(fault) });
  beforeEach(() => {
    told = [];
  });

  test.each([
    ['cannot be claimed', wearOut],
    ['cannot move at all', nailDown],
  ])('and %s is passed over, told by its id, and waits for another try: all others are claimed', async (_, damage) => {
    const user = await addPerson(db);
    const [bad, good] = await addJobs(user, [{ priority: 10 }, {}]);
    const other = await addPerson(db);
    const [theirs] = await addJobs(other, [{}]);
    await db.asOwner('UPDATE lowrank.user_queues SET last_claimed_at = now() WHERE user_id = $1', [other]);
    await damage(bad);
    expect([(await tolerant())?.job_id, (await tolerant())?.job_id, await tolerant()]).toEqual([good, theirs, null]);
    expect(told).toMatchObject([{ job_id: bad, settled: true, error: expect.any(Error) }]);
    expect(await job(bad)).toMatchObject({ status: 'queued', slot: null, retry_count: 1, not_before: expect.any(Date) });
  });

  test('fails by name when it was tried often enough', async () => {
    const [bad] = await addJobs(await addPerson(db), [{}]);
    await wearOut(bad);
    const pauses: number[] = [];
    for (let tries = 0; tries < AUTOMATIC_RESTARTS_MAX; tries++) {
      expect(await tolerant()).toBeNull();
      const [row] = await db.asOwner<{ s: number }>(
        'SELECT extract(epoch FROM not_before - clock_timestamp())::float8 AS s FROM lowrank.training_jobs',
      );
      pauses.push(Math.round(row?.s ?? 0));
      await db.asOwner('UPDATE lowrank.training_jobs SET not_before = NULL');
    }
    expect(pauses).toEqual([5, 10, 20]);
    expect(await tolerant()).toBeNull();
    expect(await job(bad)).toMatchObject({ status: 'failed', error_code: 'launch_failed', error_hint: expect.any(String) });
    expect(told).toHaveLength(AUTOMATIC_RESTARTS_MAX + 1);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('and that cannot even fail waits on, and keeps nobody', async () => {
    const user = await addPerson(db);
    const [bad, good] = await addJobs(user, [{ retry_count: AUTOMATIC_RESTARTS_MAX }, {}]);
    await nailDown(bad);
    expect((await tolerant())?.job_id).toBe(good);
    expect(await job(bad)).toMatchObject({ status: 'queued', not_before: expect.any(Date) });
  });

  test('is told apart from a database that refuses us: then nothing is put off', async () => {
    const [id] = await addJobs(await addPerson(db), [{}]);
    await db.asOwner('REVOKE INSERT ON lowrank.job_runs FROM lowrank_scheduler');
    await expect(tolerant()).rejects.toThrow();
    await db.asOwner('GRANT INSERT ON lowrank.job_runs TO lowrank_scheduler');
    expect(await job(id)).toMatchObject({ status: 'queued', retry_count: 0, not_before: null });
    expect([told, (await tolerant())?.job_id]).toEqual([[], id]);
  });
});
