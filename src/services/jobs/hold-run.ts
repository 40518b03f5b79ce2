import { and, eq, inArray, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { UserWish } from '#/domain/run-exit.ts';
import { ACTIVE_JOB_STATUSES } from '#/domain/statuses.ts';

/** Names one attempt as the worker that claimed it knows it: writes under another epoch write nothing. */
export interface RunKey {
  job_id: string;
  attempt: number;
  epoch: number;
}

/** What the job's user wishes of its run: its end goes before a pause. */
export const USER_WISH = sql<UserWish | null>`CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancel'
  WHEN pause_requested_at IS NOT NULL THEN 'pause' END`;

/**
 * Locks the job's row for a write of its run, and compares the epoch: what `lockRun` does for rows beside the job, for
 * writes that change the job itself. Throws `fenced` when the run is over or held under another epoch.
 */
export async function holdRun(tx: Tx, run: RunKey) {
  const [job] = await tx
    .select({
      id: trainingJobs.id,
      user_id: trainingJobs.user_id,
      name: trainingJobs.name,
      status: trainingJobs.status,
      epoch: trainingJobs.epoch,
      event_seq: trainingJobs.event_seq,
      retry_count: trainingJobs.retry_count,
      wish: USER_WISH,
      current_step: trainingJobs.current_step,
      total_steps: trainingJobs.total_steps,
      /** the artifact that it goes on from */
      parent_model_id: sql<string | null>`${trainingJobs.config} #>> '{spec,run,adapters,0}'`,
    })
    .from(trainingJobs)
    .where(
      and(
        eq(trainingJobs.id, run.job_id),
        eq(trainingJobs.epoch, run.epoch),
        inArray(trainingJobs.status, [...ACTIVE_JOB_STATUSES]),
      ),
    )
    .for('no key update');
  if (job === undefined) throw new AppError('fenced', `Job ${run.job_id} is no longer held under epoch ${run.epoch}`);
  return job;
}
