import { and, eq, isNull, sql } from 'drizzle-orm';
import { prepared } from '#/db/prepared.ts';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** A job with what a reader wants to see beside it: its dataset and its base model. */
export interface JobRow {
  job: typeof trainingJobs.$inferSelect;
  dataset: { id: string; name: string; file_name: string; total_training_pairs: number | null };
  base_model: { id: string; name: string; params_b: number | null };
  /** What its newest attempt was made of; null for a process, and before it has started. */
  training_image: { reference: string; digest: string } | null;
  /** Since when its worker is silent; also where no other worker is left to note it. */
  contact_lost_at: Date | null;
}

/** The joined query that every read of jobs starts from. Deleted jobs are not in it. */
export function selectJobs(tx: Tx) {
  return tx
    .select({
      job: trainingJobs,
      dataset: {
        id: datasets.id,
        name: datasets.name,
        file_name: datasets.file_name,
        total_training_pairs: datasets.total_training_pairs,
      },
      base_model: { id: baseModels.id, name: baseModels.name, params_b: baseModels.params_b },
      training_image: sql<JobRow['training_image']>`(SELECT jsonb_build_object('reference', run.image, 'digest', run.image_digest)
        FROM ${jobRuns} AS run WHERE run.job_id = ${trainingJobs.id} AND run.attempt = ${trainingJobs.attempt} AND run.image IS NOT NULL)`,
      contact_lost_at: sql<Date | null>`coalesce(${trainingJobs.contact_lost_at},
        CASE WHEN ${trainingJobs.status} IN ('initializing', 'running') AND ${trainingJobs.lease_until} < clock_timestamp()
        THEN ${trainingJobs.lease_until} END)`.mapWith(trainingJobs.contact_lost_at),
    })
    .from(trainingJobs)
    .innerJoin(datasets, eq(datasets.id, trainingJobs.dataset_id))
    .innerJoin(baseModels, eq(baseModels.id, trainingJobs.base_model_id))
    .$dynamic();
}

const jobById = prepared('job_by_id', (tx) =>
  selectJobs(tx).where(and(eq(trainingJobs.id, sql.placeholder('id')), isNull(trainingJobs.deleted_at))),
);

/** One job of the transaction's user. Throws `not_found`, for a stranger's job as for none. */
export async function findJob(tx: Tx, job_id: string): Promise<JobRow> {
  const [row] = await jobById(tx).execute({ id: job_id });
  if (row === undefined) throw new AppError('not_found', 'There is no such job');
  return row;
}
