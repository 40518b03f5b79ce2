import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { cloneJob } from './clone-job.ts';
import type { SubmissionOptions } from './create-job.ts';
import { findJob, type JobRow } from './job-row.ts';

/** The same again as a NEW job that remembers its origin. Throws `not_found`, `job_not_final` and what `createJob` throws. */
export async function retryJob(
  ctx: Context,
  job_id: string,
  options: Pick<SubmissionOptions, 'before' | 'after'> = {},
): Promise<JobRow> {
  const { job } = await asUser(ctx.user_id, (tx) => findJob(tx, job_id));
  if (!isTerminal(job.status)) {
    throw new AppError('job_not_final', `This job is still ${job.status}; cancel it first or wait for its end`);
  }
  return cloneJob(ctx, job_id, {}, options);
}
