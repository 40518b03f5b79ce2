import { and, eq, isNotNull, isNull, or } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { ATTEMPTS_MAX } from '#/domain/constants.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { findJob, type JobRow } from './job-row.ts';

/**
 * Lets a held or paused job be claimed, with the place in the queue that its age gives it, and takes a wish to pause back. One
 * that waits or runs already is answered as it is. Throws `not_found`, `job_already_final` and, for one
 * that was started too often, `conflict`.
 */
export function startJob(ctx: Context, job_id: string): Promise<JobRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [job] = await tx
      .select({ status: trainingJobs.status, attempt: trainingJobs.attempt })
      .from(trainingJobs)
      .where(and(eq(trainingJobs.id, job_id), isNull(trainingJobs.deleted_at)))
      .for('update');
    if (job === undefined) throw new AppError('not_found', 'There is no such job');
    if (isTerminal(job.status)) {
      throw new AppError('job_already_final', `This job is ${job.status}: retry or clone it for a new one`);
    }
    if (job.attempt >= ATTEMPTS_MAX) {
      throw new AppError('conflict', `This job was started ${job.attempt} times, which is the most: clone it for a new one`);
    }
    await tx
      .update(trainingJobs)
      .set({ held_at: null, pause_requested_at: null })
      .where(and(eq(trainingJobs.id, job_id), or(isNotNull(trainingJobs.held_at), isNotNull(trainingJobs.pause_requested_at))));
    return findJob(tx, job_id);
  });
}
