import { and, count, desc, eq, ilike, inArray, isNull, sql } from 'drizzle-orm';
import { experiments } from '#/db/schema/experiments.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { JOB_STATUSES, type JobStatus } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { containing } from '#/services/search-pattern.ts';

/** Jobs of one experiment that its page shows. */
const JOBS_MAX = 100;

/** A job as its experiment lists it. */
export interface ExperimentJob {
  id: string;
  experiment_id: string | null;
  name: string;
  status: JobStatus;
  progress: number;
  base_model_id: string;
  dataset_id: string;
  artifact_id: string | null;
  created_at: Date;
}

export interface ExperimentRow {
  experiment: typeof experiments.$inferSelect;
  /** Its newest jobs, newest first. */
  jobs: ExperimentJob[];
  jobs_by_status: Record<JobStatus, number>;
}

export interface ExperimentQuery extends PageQuery {
  /** Looked for in the name, without case. */
  search?: string | undefined;
  project?: string | undefined;
}

/** One page of the caller's experiments, newest first, each with its newest job. Throws `invalid_request` (cursor). */
export function listExperiments(ctx: Context, query: ExperimentQuery): Promise<Paged & { experiments: ExperimentRow[] }> {
  return asUser(ctx.user_id, async (tx) => {
    const wanted = and(
      eq(experiments.user_id, ctx.user_id),
      query.project === undefined ? undefined : eq(experiments.project_id, query.project),
      query.search === undefined ? undefined : ilike(experiments.name, containing(query.search)),
    );
    const rows = await tx
      .select()
      .from(experiments)
      .where(and(wanted, await behindCursor(tx, experiments, query.after)))
      .orderBy(desc(experiments.created_at), desc(experiments.id))
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    const total = await countRows(tx, ctx.user_id, experiments, wanted);
    return { experiments: await withJobs(tx, found, 1), ...total, next_cursor };
  });
}

/** One experiment of the caller's with its jobs. Throws `not_found`. */
export function getExperiment(ctx: Context, id: string): Promise<ExperimentRow> {
  return asUser(ctx.user_id, async (tx) => {
    const rows = await tx.select().from(experiments).where(eq(experiments.id, id));
    const [found] = await withJobs(tx, rows, JOBS_MAX);
    if (found === undefined) throw new AppError('not_found', 'There is no such experiment');
    return found;
  });
}

async function withJobs(tx: Tx, rows: (typeof experiments.$inferSelect)[], jobs_max: number): Promise<ExperimentRow[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const theirs = and(inArray(trainingJobs.experiment_id, ids), isNull(trainingJobs.deleted_at));
  const ranked = tx.$with('ranked').as(
    tx
      .select({
        id: trainingJobs.id,
        experiment_id: trainingJobs.experiment_id,
        name: trainingJobs.name,
        status: trainingJobs.status,
        progress: trainingJobs.progress,
        base_model_id: trainingJobs.base_model_id,
        dataset_id: trainingJobs.dataset_id,
        artifact_id: trainingJobs.artifact_id,
        created_at: trainingJobs.created_at,
        place: sql<number>`row_number() OVER (PARTITION BY ${trainingJobs.experiment_id}
          ORDER BY ${trainingJobs.created_at} DESC, ${trainingJobs.id} DESC)`.as('place'),
      })
      .from(trainingJobs)
      .where(theirs),
  );
  const jobs = await tx.with(ranked).select().from(ranked).where(sql`${ranked.place} <= ${jobs_max}`).orderBy(ranked.place);
  const counts = await tx
    .select({ experiment_id: trainingJobs.experiment_id, status: trainingJobs.status, n: count() })
    .from(trainingJobs)
    .where(theirs)
    .groupBy(trainingJobs.experiment_id, trainingJobs.status);
  return rows.map((experiment) => ({
    experiment,
    jobs: jobs.filter((job) => job.experiment_id === experiment.id),
    jobs_by_status: Object.fromEntries(
      JOB_STATUSES.map((status) => [
        status,
        counts.find((row) => row.experiment_id === experiment.id && row.status === status)?.n ?? 0,
      ]),
    ) as Record<JobStatus, number>,
  }));
}
