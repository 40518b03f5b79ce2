import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findJob, type JobRow } from './job-row.ts';

/** One job of the caller. Throws `not_found`. */
export function getJob(ctx: Context, job_id: string): Promise<JobRow> {
  return asUser(ctx.user_id, (tx) => findJob(tx, job_id));
}
