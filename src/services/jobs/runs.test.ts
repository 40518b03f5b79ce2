import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AUTOMATIC_RESTARTS_MAX } from '#/domain/constants.ts';
import type { RunExit } from '#/domain/run-exit.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { addJob } from '../../../test/factories.ts';
import { brokenInvariants } from '../../../test/invariants.ts';
import { addWorker, batch, db, job, metric, owner, run, TIMES, user_id, worker_id } from '../../../test/run-scene.ts';
import { noteWorkerStopped } from '../machine/register-worker.ts';
import { cancelJob } from './cancel-job.ts';
import { claimJob } from './claim-job.ts';
import { completeRun, type NewArtifact, settleRun } from './finish-run.ts';
import { getJob } from './get-job.ts';
import type { RunKey } from './hold-run.ts';
import { noteStarted } from './launch-run.ts';
import { pauseJob } from './pause-job.ts';
import { recordTrainerEvents } from './record-trainer-events.ts';
import { renewLeases } from './renew-leases.ts';
import { startJob } from './start-job.ts';
import { sweepJobs } from './sweep-jobs.ts';

const EXIT: RunExit = {
  code: 0,
  signal: null,
  stop_requested: null,
  fenced: false,
  orphans_killed: 0,
  oom_kills: 0,
  log_bytes_dropped: 0,
  ran_ms: 60_000,
};
const LOST = { type: 'lost', failure: bareFailure('contact_lost', 'gone.') } as const;

test('what a run was made of is told with its job, of the newest attempt alone', async () => {
  const told = async () => (await getJob(owner(), run.job_id)).training_image;
  expect(await told()).toBeNull();
  const digest = `sha256:${'1'.repeat(64)}`;
  await noteStarted(run, {}, { image: 'training-image', image_id: digest });
  expect(await told()).toEqual({ reference: 'training-image', digest });
  await db.asOwner('UPDATE lowrank.training_jobs SET attempt = attempt + 1');
  expect(await told()).toBeNull();
});

const ARTIFACT: NewArtifact = {
  id: randomUUID(),
  name: 'A run',
  storage_path: 'x/y',
  files: [],
  sha256: 'a'.repeat(64),
  size: 1,
  quality_metrics: {},
  training_summary: {},
  passport: {},
};

describe('the end of a run', () => {
  test('completes the job with its artifact and gives the device back', async () => {
    expect(await completeRun(run, ARTIFACT, EXIT)).toBe('completed');
    expect(await job()).toMatchObject({ status: 'completed', artifact_id: ARTIFACT.id, slot: null, progress: 100 });
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('of the first steps alone completes the job with no artifact, and nothing is kept that would cost', async () => {
    await db.asOwner('UPDATE lowrank.training_jobs SET hourly_rate = 60, config = config || \'{"spec": {"probe_only": true}}\'');
    expect(await completeRun(run, null, EXIT)).toBe('completed');
    expect(await job()).toMatchObject({ status: 'completed', artifact_id: null, slot: null, progress: 100, final_cost: '1.00' });
    expect(await db.asOwner('SELECT 1 FROM lowrank.model_artifacts')).toEqual([]);
    expect(await db.asOwner('SELECT type FROM lowrank.cost_records')).toEqual([{ type: 'compute' }]);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('leaves an artifact that names the one which the training went on from', async () => {
    const parent = randomUUID();
    await db.asOwner(`UPDATE lowrank.training_jobs SET config = jsonb_build_object('spec', $1::jsonb)`, [
      JSON.stringify({ run: { adapters: [parent] } }),
    ]);
    await completeRun(run, ARTIFACT, EXIT);
    expect(await db.asOwner('SELECT parent_model_id FROM lowrank.model_artifacts')).toEqual([{ parent_model_id: parent }]);
  });

  test('is exactly one of completed and cancelled when both happen at once, and the answer tells which', async () => {
    for (let round = 0; round < 8; round++) {
      await db.asOwner('DELETE FROM lowrank.training_jobs');
      await addJob(db, user_id);
      const claimed = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
      await noteStarted(claimed!, {});
      const [done, cancel] = await Promise.all([
        completeRun(claimed!, { ...ARTIFACT, id: randomUUID() }, EXIT),
        cancelJob({ user_id, role: 'user' }, claimed!.job_id).then(
          () => 'accepted',
          (error: { code: string }) => error.code,
        ),
      ]);
      expect(`${done} ${cancel}`).toMatch(/^(completed job_already_final|cancelled accepted)$/);
      expect((await job()).status).toBe(done);
      expect(await brokenInvariants(db, [])).toEqual([]);
    }
  });

  test('by a fault of ours queues the job again after a growing pause, a few times', async () => {
    let key = run;
    const pauses: number[] = [];
    for (let restart = 1; restart <= AUTOMATIC_RESTARTS_MAX; restart++) {
      expect(await settleRun(key, LOST, null, 5_000)).toBe('queued');
      const [row] = await db.asOwner<{ retry_count: number; pause: number }>(
        'SELECT retry_count, extract(epoch FROM not_before - clock_timestamp())::float8 AS pause FROM lowrank.training_jobs',
      );
      expect(row?.retry_count).toBe(restart);
      pauses.push(Math.round(row?.pause ?? 0));
      expect(await claimJob(worker_id, 'process', 1)).toBeNull();
      await db.asOwner('UPDATE lowrank.training_jobs SET not_before = now()');
      const next = await claimJob(worker_id, 'process', 1);
      expect(next).toEqual({ job_id: run.job_id, attempt: restart + 1, epoch: restart + 1 });
      key = next!;
    }
    expect(pauses).toEqual([5, 10, 20]);
    expect(await settleRun(key, LOST, null, 5_000)).toBe('failed');
    expect(await job()).toMatchObject({ error_code: 'contact_lost' });
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('before it began queues the job again, and fails it when it never begins', async () => {
    let key = run;
    const ends: string[] = [];
    for (let tries = 1; tries <= 10; tries++) {
      // As a claim leaves it: not started.
      await db.asOwner('ALTER TABLE lowrank.training_jobs DISABLE TRIGGER check_job_move');
      await db.asOwner("UPDATE lowrank.training_jobs SET status = 'initializing'");
      await db.asOwner('ALTER TABLE lowrank.training_jobs ENABLE TRIGGER check_job_move');
      ends.push(await settleRun(key, { type: 'not_started' }, null, 5_000));
      await db.asOwner('UPDATE lowrank.training_jobs SET not_before = NULL');
      key = (await claimJob(worker_id, 'process', 1)) ?? key;
    }
    expect(ends).toEqual([...Array(9).fill('queued'), 'failed']);
    expect(await job()).toMatchObject({ error_code: 'launch_failed', retry_count: 0 });
  });

  test.each([
    ['that obeyed', { type: 'paused' } as const],
    ['that was lost meanwhile', LOST],
  ])('of a run to be paused %s holds the job without a slot, costs no restart, and another is claimed', async (_, ending) => {
    await pauseJob(owner(), run.job_id);
    await addJob(db, user_id);
    expect(await settleRun(run, ending, { ...EXIT, code: 143, stop_requested: 'pause' }, 0)).toBe('queued');
    const [paused] = await db.asOwner('SELECT * FROM lowrank.training_jobs WHERE id = $1', [run.job_id]);
    expect(paused).toMatchObject({
      slot: null,
      retry_count: 0,
      worker_id: null,
      current_stage: null,
      held_at: expect.any(Date),
      pause_requested_at: expect.any(Date),
    });
    expect((await claimJob(worker_id, 'process', 1))?.job_id).not.toBe(run.job_id);
    expect(await claimJob(worker_id, 'process', 1)).toBeNull();
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('of a run whose pause was taken back meanwhile queues the job at once', async () => {
    await pauseJob(owner(), run.job_id);
    await startJob(owner(), run.job_id);
    expect(await settleRun(run, { type: 'paused' }, { ...EXIT, code: 143, stop_requested: 'pause' }, 0)).toBe('queued');
    expect(await job()).toMatchObject({ held_at: null, pause_requested_at: null });
    expect(await claimJob(worker_id, 'process', 1)).toEqual({ ...run, attempt: 2, epoch: run.epoch + 1 });
  });

  test.each([
    ['of its run', { type: 'paused' } as const, { ...EXIT, code: 143, stop_requested: 'pause' }],
    ['before its launch', { type: 'not_started' } as const, null],
    ['that came as it was lost', LOST, null],
  ])('by a pause %s is no launch that came to nothing, however often', async (_, ending, exit) => {
    let key = run;
    for (let times = 0; times < 12; times++) {
      await pauseJob(owner(), run.job_id);
      expect(await settleRun(key, ending, exit, 0)).toBe('queued');
      await startJob(owner(), run.job_id);
      key = (await claimJob(worker_id, 'process', 1)) ?? key;
    }
    expect(await settleRun(key, { type: 'not_started' }, null, 0)).toBe('queued');
    expect(await job()).toMatchObject({ status: 'queued', attempt: 13, error_code: null });
  });

  test('of a run to be paused that its user then cancelled is cancelled', async () => {
    await pauseJob(owner(), run.job_id);
    await cancelJob(owner(), run.job_id);
    expect(await settleRun(run, { type: 'paused' }, EXIT, 0)).toBe('cancelled');
  });

  test('of a lost run whose user wished its end is cancelled', async () => {
    await cancelJob({ user_id, role: 'user' }, run.job_id);
    expect(await settleRun(run, LOST, null, 0)).toBe('cancelled');
  });

  test('is written once', async () => {
    const ends = await Promise.allSettled(Array.from({ length: 6 }, () => settleRun(run, { type: 'cancelled' }, EXIT, 0)));
    expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });
});

describe('a lease', () => {
  const renew = (held: RunKey[] = [run]) => renewLeases(worker_id, held, TIMES.contact_lost_ms);
  const backdate = (ms: number) =>
    db
      .asOwner(`UPDATE lowrank.training_jobs SET lease_until = clock_timestamp() - $1 * interval '1 ms'`, [
        ms - TIMES.contact_lost_ms,
      ])
      .then(() =>
        db.asOwner(`UPDATE lowrank.workers SET heartbeat_at = clock_timestamp() - $1 * interval '1 ms' WHERE id = $2`, [
          ms,
          worker_id,
        ]),
      );

  test('is renewed for what is held, and tells of wishes', async () => {
    await db.asOwner("UPDATE lowrank.training_jobs SET lease_until = now() - interval '1 hour', contact_lost_at = now()");
    expect(await renew()).toEqual({ kept: new Map([[run.job_id, { wish: null }]]), unattended: [] });
    expect(await job()).toMatchObject({ contact_lost_at: null });
    await pauseJob(owner(), run.job_id);
    expect((await renew()).kept.get(run.job_id)).toEqual({ wish: 'pause' });
    await cancelJob({ user_id, role: 'user' }, run.job_id);
    expect((await renew()).kept.get(run.job_id)).toEqual({ wish: 'cancel' });
  });

  test('under an epoch that is over is not renewed', async () => {
    expect((await renew([{ ...run, epoch: run.epoch - 1 }])).kept.size).toBe(0);
  });

  test('tells of a run that nobody looks after', async () => {
    expect(await renew([])).toEqual({ kept: new Map(), unattended: [run.job_id] });
  });

  test('that is over shows the lost contact, and nothing else happens before the fence', async () => {
    const other = await addWorker();
    await backdate(TIMES.contact_lost_ms - 1_000);
    expect(await sweepJobs(other, TIMES)).toEqual({ lost_contact: 0, settled: [] });
    await backdate(TIMES.fence_ms - 5_000);
    expect(await sweepJobs(other, TIMES)).toEqual({ lost_contact: 1, settled: [] });
    expect((await job()).contact_lost_at).not.toBeNull();
    expect((await job()).status).toBe('running');
  });

  test('of a worker that stopped in order is not lost and never fenced', async () => {
    const other = await addWorker();
    await noteWorkerStopped(worker_id);
    await backdate(TIMES.fence_ms * 4);
    expect(await sweepJobs(other, TIMES)).toEqual({ lost_contact: 0, settled: [] });
  });

  test('past the fence settles the job from afar, keeps the device leased, and the old host writes nothing more', async () => {
    const other = await addWorker();
    await backdate(TIMES.fence_ms + 1_000);
    expect(await sweepJobs(other, TIMES)).toEqual({ lost_contact: 1, settled: [run.job_id] });
    expect(await job()).toMatchObject({ status: 'queued', retry_count: 1, contact_lost_at: null });
    expect(await db.asOwner('SELECT 1 FROM lowrank.gpu_leases WHERE released_at IS NULL')).toHaveLength(1);
    await db.asOwner('UPDATE lowrank.training_jobs SET not_before = now()');
    expect(await claimJob(other, 'process', TIMES.contact_lost_ms)).toMatchObject({ attempt: 2, epoch: 2 });
    await expect(recordTrainerEvents(run, batch(0, 1, [metric(1, 1)]))).rejects.toMatchObject({ code: 'fenced' });
    await expect(settleRun(run, LOST, null, 0)).rejects.toMatchObject({ code: 'fenced' });
    expect((await renew()).kept.size).toBe(0);
  });

  test('by its own host is never fenced, whatever the clock says', async () => {
    await backdate(TIMES.fence_ms * 2);
    expect((await sweepJobs(worker_id, TIMES)).settled).toEqual([]);
  });
});
