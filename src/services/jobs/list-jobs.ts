import { and, eq, isNull, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { countRows, type Total } from '#/services/count-rows.ts';
import { behindCursor, nextCursor } from '#/services/page-cursor.ts';
import { type JobRow, selectJobs } from './job-row.ts';

export interface JobQuery {
  status?: JobStatus | undefined;
  page: number;
  limit: number;
  /** The cursor of the page before; counts before `page`. */
  after?: string | undefined;
}

/**
 * One page of the caller's jobs, newest first, and how many there are in all. By cursor nothing is told twice or left out
 * while new jobs come, and the thousandth page costs what the first does. Throws `invalid_request` (cursor).
 */
export function listJobs(ctx: Context, query: JobQuery): Promise<{ jobs: JobRow[]; total: Total; next_cursor: string | null }> {
  return asUser(ctx.user_id, async (tx) => {
    const wanted = and(
      eq(trainingJobs.user_id, ctx.user_id),
      isNull(trainingJobs.deleted_at),
      query.status === undefined ? undefined : eq(trainingJobs.status, query.status),
    );
    const jobs = await selectJobs(tx)
      .where(and(wanted, await behindCursor(tx, trainingJobs, query.after)))
      // As the index stands: Drizzle makes its descending columns NULLS LAST, and another order would not use it.
      .orderBy(sql`${trainingJobs.created_at} DESC NULLS LAST, ${trainingJobs.id} DESC NULLS LAST`)
      .limit(query.limit)
      .offset(query.after === undefined ? (query.page - 1) * query.limit : 0);
    const ids = jobs.map(({ job }) => job);
    return { jobs, total: await countRows(tx, ctx.user_id, trainingJobs, wanted), next_cursor: nextCursor(ids, query.limit) };
  });
}
