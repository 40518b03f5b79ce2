import { and, eq, isNull, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';

/**
 * Takes a job that is over out of every list. Its artifacts stay; the folder of its runs (log, events, checkpoint) goes at the
 * worker's next round. Throws `not_found` and `job_not_final`.
 */
export function deleteJob(ctx: Context, job_id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    const [job] = await tx
      .select({ status: trainingJobs.status })
      .from(trainingJobs)
      .where(and(eq(trainingJobs.id, job_id), isNull(trainingJobs.deleted_at)))
      .for('update');
    if (job === undefined) throw new AppError('not_found', 'There is no such job');
    if (!isTerminal(job.status)) {
      throw new AppError('job_not_final', `This job is ${job.status}: cancel it first, then delete it when it is over`);
    }
    await tx.update(trainingJobs).set({ deleted_at: sql`now()` }).where(eq(trainingJobs.id, job_id));
  });
}
