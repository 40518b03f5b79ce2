import { and, asc, eq, gt } from 'drizzle-orm';
import { jobEvents } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findJob } from './job-row.ts';

/** What happened to a job after event `after`, in order. Throws `not_found`. */
export function readEvents(ctx: Context, job_id: string, query: { after: number; limit: number }) {
  return asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    return tx
      .select()
      .from(jobEvents)
      .where(and(eq(jobEvents.job_id, job_id), gt(jobEvents.seq, query.after)))
      .orderBy(asc(jobEvents.seq))
      .limit(query.limit);
  });
}
