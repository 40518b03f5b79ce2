import { and, eq, ilike, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import { prepared } from '#/db/prepared.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { countRows, type Total } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { containing } from '#/services/search-pattern.ts';
import { type JobRow, selectJobs } from './job-row.ts';

export interface JobQuery extends PageQuery {
  /** Absent: every status. */
  statuses?: readonly JobStatus[] | undefined;
  /** Looked for in the name, without case. */
  search?: string | undefined;
  /** Of this project: a job belongs to that of its dataset. */
  project?: string | undefined;
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
    const narrowed = narrowing(query);
    const wanted = and(eq(trainingJobs.user_id, ctx.user_id), isNull(trainingJobs.deleted_at), narrowed);
    const page = { limit: oneMore(query), offset: skipped(query) };
    const behind = await behindCursor(tx, trainingJobs, query.after);
    const plain = narrowed === undefined && behind === undefined;
    // Sent together: the count does not wait for the page.
    const [rows, total] = await Promise.all([
      plain
        ? newest(tx).execute({ user_id: ctx.user_id, ...page })
        : inOrder(tx, and(wanted, behind)).limit(page.limit).offset(page.offset),
      countRows(tx, ctx.user_id, trainingJobs, wanted),
    ]);
    const { rows: jobs, next_cursor } = cutPage(rows, query.limit, ({ job }) => job.id);
    return { jobs, total, next_cursor };
  });
}

/** What a filter leaves of them; undefined where it says nothing. */
function narrowing({ statuses, search, project }: JobQuery): SQL | undefined {
  return and(
    statuses === undefined ? undefined : inArray(trainingJobs.status, [...statuses]),
    search === undefined ? undefined : ilike(trainingJobs.name, containing(search)),
    project === undefined
      ? undefined
      : sql`${trainingJobs.dataset_id} IN (SELECT d.id FROM lowrank.datasets d WHERE d.project_id = ${project})`,
  );
}
