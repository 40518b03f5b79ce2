import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { prepared } from '#/db/prepared.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
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

// As the index stands: Drizzle makes its descending columns NULLS LAST, and another order would not use it.
const inOrder = (tx: Tx, wanted: SQL | undefined) =>
  selectJobs(tx).where(wanted).orderBy(sql`${trainingJobs.created_at} DESC NULLS LAST, ${trainingJobs.id} DESC NULLS LAST`);

/** The list as a page first asks for it: all states, by number. */
const newest = prepared('jobs_newest', (tx) =>
  inOrder(tx, and(eq(trainingJobs.user_id, sql.placeholder('user_id')), isNull(trainingJobs.deleted_at)))
    .limit(sql.placeholder('limit'))
    .offset(sql.placeholder('offset')),
);

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
    const page = { limit: query.limit, offset: query.after === undefined ? (query.page - 1) * query.limit : 0 };
    const behind = await behindCursor(tx, trainingJobs, query.after);
    const plain = query.status === undefined && behind === undefined;
    // Sent together: the count does not wait for the page.
    const [jobs, total] = await Promise.all([
      plain
        ? newest(tx).execute({ user_id: ctx.user_id, ...page })
        : inOrder(tx, and(wanted, behind)).limit(page.limit).offset(page.offset),
      countRows(tx, ctx.user_id, trainingJobs, wanted),
    ]);
    const ids = jobs.map(({ job }) => job);
    return { jobs, total, next_cursor: nextCursor(ids, query.limit) };
  });
}
