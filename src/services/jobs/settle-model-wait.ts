import { eq, sql } from 'drizzle-orm';
import * as z from 'zod';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { GPU_DEFAULTS } from '#/domain/gpu-catalog.ts';
import { SAMPLE_PROMPTS } from '#/domain/image-plan.ts';
import { misfit } from '#/domain/memory-figures.ts';
import { modelFailure } from '#/domain/model-failure.ts';
import { limitsOf } from '#/domain/run-config.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { TrainingSpec, trainingRefusal } from '#/domain/training-spec.ts';
import type { DatasetRow } from '#/services/datasets/dataset-row.ts';
import { firstCaptions } from '#/services/datasets/first-captions.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { chooseGpu } from './choose-gpu.ts';
import { configureJob, FETCHING_MODEL, PricedGpu } from './configure-job.ts';
import { foreseeTraining, readForesight } from './foresee-training.ts';
import type { JobRow } from './job-row.ts';
import { transitionJob } from './transition-job.ts';

const StoredSpec = z.object({ spec: TrainingSpec, gpu: z.unknown() });
const UNREADABLE = bareFailure('bad_config', 'The job’s stored configuration cannot be read.');

/**
 * Takes one job that waits for a base model which is settled now: into the queue, planned anew with what is known of the model
 * since, or to its end when the model cannot be had. False when there is none.
 */
export function settleModelWait(): Promise<boolean> {
  return asScheduler(async (tx) => {
    const waiting = await tx.execute<{ id: string }>(sql`
      SELECT j.id FROM lowrank.training_jobs j JOIN lowrank.base_models m ON m.id = j.base_model_id
      WHERE j.status = 'queued' AND j.current_stage = ${sql.raw(`'${FETCHING_MODEL}'`)}
        AND (m.status <> 'fetching' OR m.deleted_at IS NOT NULL)
      ORDER BY j.queued_at LIMIT 1 FOR NO KEY UPDATE OF j SKIP LOCKED`);
    const id = waiting.rows[0]?.id;
    if (id === undefined) return false;
    const [found] = await tx
      .select({ job: trainingJobs, dataset: datasets, model: baseModels })
      .from(trainingJobs)
      .innerJoin(baseModels, eq(baseModels.id, trainingJobs.base_model_id))
      .innerJoin(datasets, eq(datasets.id, trainingJobs.dataset_id))
      .where(eq(trainingJobs.id, id));
    if (found === undefined) return false;
    const { job, model } = found;
    if (model.status === 'ready' && model.trainable && model.deleted_at === null) {
      const columns = await plannedAnew(tx, found);
      if ('failure' in columns) {
        await transitionJob(tx, job, { type: 'failed', failure: columns.failure });
        return true;
      }
      await tx
        .update(trainingJobs)
        .set({ ...columns, current_stage: null })
        .where(eq(trainingJobs.id, id));
    } else if (model.status !== 'fetching' || model.deleted_at !== null) {
      await transitionJob(tx, job, { type: 'failed', failure: modelFailure(model) });
    }
    return true;
  });
}

/** What follows from the spec that is stored, or why it cannot be run: one that cannot be read keeps nobody else's from being settled. */
async function plannedAnew(tx: Tx, { job, dataset, model }: { job: JobRow['job']; dataset: DatasetRow; model: BaseModelRow }) {
  const stored = StoredSpec.safeParse(job.config);
  if (!stored.success) return { failure: UNREADABLE };
  const { spec } = stored.data;
  const refusal = trainingRefusal(spec.method, { dataset_modality: dataset.modality, model_modality: model.modality });
  if (refusal !== null) return { failure: bareFailure('bad_config', `${refusal}.`) };
  try {
    // A job that an older release stored has no price of its own yet.
    const gpu = PricedGpu.safeParse(stored.data.gpu).data ?? chooseGpu(GPU_DEFAULTS, job.gpu_config);
    const captions = await firstCaptions(tx, dataset, SAMPLE_PROMPTS);
    const asked = { spec, dataset, model, gpu, captions };
    const forecast = foreseeTraining(await readForesight(tx, job.user_id, GPU_DEFAULTS), asked);
    const { foreseen } = forecast;
    if (foreseen?.verdict === 'will_not_fit' && !spec.probe_only)
      return { failure: bareFailure('out_of_memory', `This training does not fit: ${misfit(foreseen)}`) };
    const kept = { limits: limitsOf(job.config), own_device: job.config.own_device === true };
    return configureJob(spec, { dataset, model, gpu, ...kept, forecast });
  } catch (error) {
    if (error instanceof AppError) return { failure: UNREADABLE };
    throw error;
  }
}
