import { and, count, eq, isNull, sql } from 'drizzle-orm';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { type JobRow, selectJobs } from './job-row.ts';

/** One page of the caller's jobs, newest first, and how many there are in all. */
export function listJobs(
  ctx: Context,
  query: { status?: JobStatus | undefined; page: number; limit: number },
): Promise<{ jobs: JobRow[]; total: number }> {
  return asUser(ctx.user_id, async (tx) => {
    const wanted = and(
      eq(trainingJobs.user_id, ctx.user_id),
      isNull(trainingJobs.deleted_at),
      query.status === undefined ? undefined : eq(trainingJobs.status, query.status),
    );
    const jobs = await selectJobs(tx)
      .where(wanted)
      // As the index stands: Drizzle makes its descending columns NULLS LAST, and another order would not use it.
      .orderBy(sql`${trainingJobs.created_at} DESC NULLS LAST, ${trainingJobs.id} DESC NULLS LAST`)
      .limit(query.limit)
      .offset((query.page - 1) * query.limit);
    const [counted] = await tx.select({ total: count() }).from(trainingJobs).where(wanted);
    return { jobs, total: counted?.total ?? 0 };
  });
}
