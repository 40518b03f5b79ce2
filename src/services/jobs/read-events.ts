import { and, asc, eq, gt } from 'drizzle-orm';
import { jobEvents } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { cutPage, oneMore } from '#/services/page-cursor.ts';
import { findJob } from './job-row.ts';

/**
 * One page of what happened to a job after event `after`, in order, and what the next one is asked for with: null when there
 * is none yet. Throws `not_found`.
 */
export function readEvents(ctx: Context, job_id: string, query: { after: number; limit: number }) {
  return asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    const events = await tx
      .select()
      .from(jobEvents)
      .where(and(eq(jobEvents.job_id, job_id), gt(jobEvents.seq, query.after)))
      .orderBy(asc(jobEvents.seq))
      .limit(oneMore(query));
    const { rows, next_cursor: next_after } = cutPage(events, query.limit, ({ seq }) => seq);
    return { rows, next_after };
  });
}
