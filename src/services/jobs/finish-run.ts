import { and, eq, sql } from 'drizzle-orm';
import { jobRuns, modelArtifacts, trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { AUTOMATIC_RESTARTS_MAX } from '#/domain/constants.ts';
import type { JobFailure, JobHappening } from '#/domain/job-state.ts';
import type { RunExit, UserWish } from '#/domain/run-exit.ts';
import { bareFailure, type Verdict } from '#/domain/run-verdict.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import { recordObservation } from '#/services/accuracy/record-observation.ts';
import { billRun, billStorage } from '#/services/costs/bill-runs.ts';
import { releaseLease } from '#/services/machine/quarantine-device.ts';
import { holdRun, type RunKey } from './hold-run.ts';
import { type MovedColumns, transitionJob } from './transition-job.ts';

/** Claims of one job that may come to nothing before it counts as impossible to start. */
const LAUNCHES_MAX = 10;
const NEVER_STARTED = bareFailure('launch_failed', `The training could not be started in ${LAUNCHES_MAX} tries.`);

export type Ending = Exclude<Verdict, { type: 'done' }> | { type: 'not_started' };

/** What a finished training leaves for good; its files lie in storage already. */
export interface NewArtifact {
  id: string;
  name: string;
  storage_path: string;
  files: { id: string; path: string; sha256: string; bytes: number }[];
  /** Of the weights file. */
  sha256: string;
  size: number;
  quality_metrics: Record<string, unknown>;
  training_summary: Record<string, unknown>;
  passport: Record<string, unknown>;
}

/**
 * Settles a run whose process tree is proved gone, with what it costs, and gives its device back. A fault of ours queues the
 * job again while restarts are left, after a growing pause; a wish to cancel that came meanwhile wins, and one to pause holds the
 * job instead of queueing it. Throws `fenced`.
 */
export function settleRun(run: RunKey, ending: Ending, exit: RunExit | null, pause_ms: number): Promise<JobStatus> {
  return asScheduler(async (tx) => {
    const job = await holdRun(tx, run);
    const launches = ending.type === 'not_started' ? run.attempt - (await countPauses(tx, run.job_id)) : run.attempt;
    const { happening, columns } = settlement(launches, ending, job, pause_ms);
    await billRun(tx, run, exit);
    const status = await transitionJob(tx, job, happening, columns);
    await recordObservation(tx, job.id, status);
    if (status === 'queued')
      await tx.update(trainingJobs).set({ estimated_completion_at: null }).where(eq(trainingJobs.id, job.id));
    await endRun(tx, run, exit, happening.type === 'paused');
    return status;
  });
}

/**
 * The artifact's row, the last of the costs and `completed`, in one transaction; null: it was for its figures alone. A wish to cancel
 * that came first wins: then no row is written and `cancelled` is answered. Throws `fenced`.
 */
export function completeRun(run: RunKey, artifact: NewArtifact | null, exit: RunExit): Promise<JobStatus> {
  return asScheduler(async (tx) => {
    const job = await holdRun(tx, run);
    let status: JobStatus;
    if (job.wish === 'cancel') {
      await billRun(tx, run, exit);
      status = await transitionJob(tx, job, { type: 'cancelled' });
    } else {
      if (artifact !== null) await billStorage(tx, job.id, artifact.size);
      await billRun(tx, run, exit);
      const { parent_model_id } = job;
      if (artifact !== null) {
        await tx
          .insert(modelArtifacts)
          .values({ ...artifact, user_id: job.user_id, job_id: job.id, kind: 'adapter', parent_model_id });
      }
      const columns = { progress: 100, current_stage: 'done', ...(artifact !== null && { artifact_id: artifact.id }) };
      status = await transitionJob(tx, job, { type: 'completed' }, columns);
    }
    await recordObservation(tx, job.id, status);
    await endRun(tx, run, exit);
    return status;
  });
}

/** Queues or fails a job whose host has vanished, in the caller's transaction: its run has fenced itself by now. The device stays leased. Throws `fenced`. */
export async function settleFromAfar(tx: Tx, run: RunKey, failure: JobFailure, pause_ms: number): Promise<void> {
  const job = await holdRun(tx, run);
  const { happening, columns } = settlement(run.attempt, { type: 'lost', failure }, job, pause_ms);
  await billRun(tx, run, null);
  await recordObservation(tx, job.id, await transitionJob(tx, job, happening, columns));
  await closeRun(tx, run, null);
}

const inMs = (ms: number) => sql`clock_timestamp() + ${ms} * interval '1 ms'` as unknown as Date;

function settlement(
  launches: number,
  ending: Ending,
  job: { wish: UserWish | null; retry_count: number },
  pause_ms: number,
): { happening: JobHappening; columns: MovedColumns } {
  if (job.wish === 'cancel' || ending.type === 'cancelled') return { happening: { type: 'cancelled' }, columns: {} };
  if (ending.type === 'failed') return { happening: { type: 'failed', failure: ending.failure }, columns: {} };
  if (job.wish === 'pause' || ending.type === 'paused') {
    // Who took the wish back meanwhile has the run go on at once.
    const held_at = job.wish === 'pause' ? inMs(0) : null;
    return { happening: { type: 'paused' }, columns: { worker_id: null, current_stage: null, held_at } };
  }
  if (ending.type === 'not_started') {
    const tries = launches - job.retry_count;
    if (tries >= LAUNCHES_MAX) return { happening: { type: 'failed', failure: NEVER_STARTED }, columns: {} };
    // A worker that was ended in between has nothing to wait for; one that fails again and again has.
    const not_before = tries > 1 ? inMs(pause_ms * tries) : null;
    return { happening: { type: 'not_started' }, columns: { worker_id: null, current_stage: null, not_before } };
  }
  if (job.retry_count >= AUTOMATIC_RESTARTS_MAX) return { happening: { type: 'failed', failure: ending.failure }, columns: {} };
  const wait_ms = pause_ms * 2 ** job.retry_count;
  return {
    happening: { type: 'lost' },
    columns: {
      worker_id: null,
      current_stage: null,
      retry_count: job.retry_count + 1,
      not_before: inMs(wait_ms),
    },
  };
}

/** Attempts that ended by a pause, also before they were launched: no launch that came to nothing. */
async function countPauses(tx: Tx, job_id: string): Promise<number> {
  // What an older release ended by a pause says so by its owner's word alone.
  const by_pause = sql`(${jobRuns.exit} ->> 'paused' = 'true' OR ${jobRuns.exit} ->> 'stop_requested' = 'pause')`;
  return tx.$count(jobRuns, and(eq(jobRuns.job_id, job_id), by_pause));
}

async function endRun(tx: Tx, run: RunKey, exit: RunExit | null, paused = false): Promise<void> {
  const told = { ...exit, ...(paused && { paused }) };
  await closeRun(tx, run, Object.keys(told).length === 0 ? null : told);
  await releaseLease(tx, run);
}

async function closeRun(tx: Tx, run: RunKey, exit: Record<string, unknown> | null): Promise<void> {
  await tx
    .update(jobRuns)
    .set({ ended_at: sql`clock_timestamp()`, exit })
    .where(and(eq(jobRuns.job_id, run.job_id), eq(jobRuns.attempt, run.attempt)));
}

/** Gives back the device of a run that is proved gone and whose job was settled without us. */
export function releaseDevice(run: { job_id: string; attempt: number }): Promise<void> {
  return asScheduler((tx) => releaseLease(tx, run));
}
