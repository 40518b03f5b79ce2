import { AppError } from '#/domain/app-error.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { type LogChunk, readLog } from '#/storage/read-log.ts';
import { getJob } from './get-job.ts';

/** A piece of one attempt's log (the newest unless said) from a byte offset. Throws `not_found`. */
export async function readLogs(
  ctx: Context,
  job_id: string,
  query: { after: number; attempt?: number | undefined },
): Promise<LogChunk & { attempt: number }> {
  const { job } = await getJob(ctx, job_id);
  const attempt = query.attempt ?? Math.max(1, job.attempt);
  if (attempt > Math.max(1, job.attempt)) throw new AppError('not_found', `This job has no attempt ${attempt}`);
  const over = isTerminal(job.status) || attempt < job.attempt;
  return { attempt, ...(await readLog(job_id, attempt, query.after, over)) };
}
