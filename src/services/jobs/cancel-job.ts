import { and, eq, isNull, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { findJob, type JobRow } from './job-row.ts';
import { transitionJob } from './transition-job.ts';

/**
 * Cancels a job: at once when it waits, else by a wish that its worker fulfils (`cancelled` is written when the whole
 * process tree is gone). Its last checkpoint stays unless it is to be discarded. Cancelling a cancelled job answers it again. Throws `not_found` and `job_already_final`.
 */
export function cancelJob(ctx: Context, job_id: string, options: { discard?: boolean | undefined } = {}): Promise<JobRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [job] = await tx
      .select()
      .from(trainingJobs)
      .where(and(eq(trainingJobs.id, job_id), isNull(trainingJobs.deleted_at)))
      .for('update');
    if (job === undefined) throw new AppError('not_found', 'There is no such job');
    if (job.status === 'queued') {
      await transitionJob(tx, job, { type: 'cancelled' });
    } else if (!isTerminal(job.status)) {
      if (job.cancel_requested_at === null) {
        await tx.update(trainingJobs).set({ cancel_requested_at: sql`clock_timestamp()` }).where(eq(trainingJobs.id, job_id));
      }
    } else if (job.status !== 'cancelled') {
      throw new AppError('job_already_final', `This job is ${job.status}; only a job that waits or runs can be cancelled`);
    }
    if (options.discard === true && job.discard_requested_at === null)
      await tx.update(trainingJobs).set({ discard_requested_at: sql`clock_timestamp()` }).where(eq(trainingJobs.id, job_id));
    return findJob(tx, job_id);
  });
}
