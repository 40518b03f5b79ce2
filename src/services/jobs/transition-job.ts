import { and, eq, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';
import type { ActivityType } from '#/domain/activity.ts';
import { AppError } from '#/domain/app-error.ts';
import { type JobHappening, nextStatus } from '#/domain/job-state.ts';
import type { NotificationType } from '#/domain/notifications.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import { projectOfJob, recordActivity } from '#/services/activities/record-activity.ts';
import { announce } from '#/services/notifications/announce.ts';

/** What a mover must have seen of a job: its status and the epoch under which the mover acts. */
export interface SeenJob {
  id: string;
  user_id: string;
  name: string;
  status: JobStatus;
  epoch: number;
}

/** Columns that may move together with the status; never the status itself. */
export type MovedColumns = Partial<
  Pick<
    typeof trainingJobs.$inferInsert,
    | 'slot'
    | 'worker_id'
    | 'lease_until'
    | 'attempt'
    | 'executor'
    | 'current_stage'
    | 'started_at'
    | 'progress'
    | 'current_step'
    | 'artifact_id'
    | 'retry_count'
    | 'not_before'
    | 'held_at'
  >
>;

/** What its owner is told of; a claim, and a way back into the queue, are our own business. */
const TOLD: Partial<Record<JobHappening['type'], NotificationType & ActivityType>> = {
  started: 'job_started',
  completed: 'job_completed',
  failed: 'job_failed',
  cancelled: 'job_cancelled',
};

/**
 * The one writer of a job's status. Moves it from exactly the status and epoch that were seen, in the caller's
 * transaction, with its event (by trigger), its notification and its activity. Throws `conflict` when the move is not legal
 * from the status seen, and `fenced` when the row moved on meanwhile: then nothing was written.
 */
export async function transitionJob(
  tx: Tx,
  job: SeenJob,
  happening: JobHappening,
  columns: MovedColumns = {},
): Promise<JobStatus> {
  const status = nextStatus(job.status, happening.type);
  if (status === null)
    throw new AppError('conflict', `A job that is ${job.status} cannot be ${happening.type.replace('_', ' ')}`);
  const failure = happening.type === 'failed' ? happening.failure : null;
  const moved = await tx
    .update(trainingJobs)
    .set({
      ...columns,
      status,
      ...(failure && {
        error_code: failure.code,
        error_message: failure.message,
        error_hint: failure.hint,
        error_stack: failure.stack,
      }),
    })
    .where(and(eq(trainingJobs.id, job.id), eq(trainingJobs.status, job.status), eq(trainingJobs.epoch, job.epoch)))
    .returning({ id: trainingJobs.id });
  if (moved.length === 0) throw new AppError('fenced', `Job ${job.id} moved on while it was being moved`);
  const type = TOLD[happening.type];
  if (type !== undefined) {
    const message = failure === null ? job.name : `${job.name}: ${failure.message}`;
    await announce(tx, {
      user_id: job.user_id,
      type,
      message,
      action_url: `/jobs/${job.id}`,
      metadata: { job_id: job.id },
      data: {
        name: job.name,
        status,
        artifact_id: columns.artifact_id ?? null,
        failure: failure && { code: failure.code, message: failure.message, hint: failure.hint },
      },
    });
    await recordActivity(tx, {
      user_id: job.user_id,
      event_type: type,
      entity_type: 'job',
      entity_id: job.id,
      message,
      status,
      project_id: projectOfJob(job.id),
      metadata: failure === null ? {} : { code: failure.code },
    });
  }
  return status;
}

/**
 * Locks a job's row for a write of its run and compares the epoch, so that a worker which lost the job writes nothing.
 * Throws `fenced` when the row is not there, not active any more, or held under another epoch.
 */
export async function lockRun(tx: Tx, job_id: string, epoch: number): Promise<void> {
  const rows = await tx.execute(
    sql`SELECT 1 FROM lowrank.training_jobs WHERE id = ${job_id} AND epoch = ${epoch} AND status IN ('initializing', 'running') FOR SHARE`,
  );
  if (rows.rowCount === 0) throw new AppError('fenced', `Job ${job_id} is no longer held under epoch ${epoch}`);
}
