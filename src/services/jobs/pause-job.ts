import { and, eq, isNull, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { findJob, type JobRow } from './job-row.ts';

/**
 * Holds a job that waits; of one that runs it notes the wish, which its worker fulfils: the trainer writes a checkpoint and
 * ends, and the job is queued and held, without a slot. A held job is answered as it is. Throws `not_found` and `job_already_final`.
 */
export function pauseJob(ctx: Context, job_id: string): Promise<JobRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [job] = await tx
      .select()
      .from(trainingJobs)
      .where(and(eq(trainingJobs.id, job_id), isNull(trainingJobs.deleted_at)))
      .for('update');
    if (job === undefined) throw new AppError('not_found', 'There is no such job');
    if (isTerminal(job.status)) {
      throw new AppError('job_already_final', `This job is ${job.status}; only a job that waits or runs can be paused`);
    }
    const now = sql`clock_timestamp()`;
    const wished = job.status === 'queued' ? job.held_at !== null : job.pause_requested_at !== null;
    if (!wished) {
      const columns = { pause_requested_at: now, ...(job.status === 'queued' && { held_at: now }) };
      await tx.update(trainingJobs).set(columns).where(eq(trainingJobs.id, job_id));
    }
    return findJob(tx, job_id);
  });
}
