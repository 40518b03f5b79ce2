import { and, eq, isNull, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { findGpuType, GPU_CONFIGURATIONS } from '#/domain/gpu-catalog.ts';
import { type GPUConfig, type TrainingSpec, trainingRefusal } from '#/domain/training-spec.ts';
import { recordActivity } from '#/services/activities/record-activity.ts';
import type { Context } from '#/services/context.ts';
import { findDefaultBaseModel } from '#/services/models/find-default-base-model.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { obtainHubModel } from '#/services/models/register-hub-model.ts';
import { announce } from '#/services/notifications/announce.ts';
import { configureJob, FETCHING_MODEL } from './configure-job.ts';
import { findJob, type JobRow } from './job-row.ts';

/** What a submission may bring besides its spec. */
export interface SubmissionOptions {
  /** The job that this one repeats. */
  retried_from?: string;
  /** Says `forbidden` of a dataset that is somebody else's, where every other caller is told that there is none. */
  tells_foreign_dataset?: boolean;
  /** Runs first in the same transaction; a job id that it returns is answered instead of a new job. */
  before?: (tx: Tx) => Promise<string | null>;
  /** Runs last in the same transaction, once the job is stored. */
  after?: (tx: Tx, job_id: string) => Promise<void>;
}

/**
 * The one way to a job: checks what the spec names, fills in and counts everything, and stores the job as queued with
 * its notification and its activity. A Hub model that is not there yet is registered, and the job waits for it out of the queue. Throws
 * `not_found` (dataset, base model), `forbidden` (dataset), `dataset_not_ready`, `dataset_not_training_ready`,
 * `base_model_required`, `base_model_not_ready`, `not_trainable`, `invalid_request` (GPU type), `quota_exceeded`, `storage_full`.
 */
export async function createJob(ctx: Context, spec: TrainingSpec, options: SubmissionOptions = {}): Promise<JobRow> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await options.before?.(tx);
    if (known != null) return findJob(tx, known);
    const dataset = await readyDataset(tx, spec.dataset_id, options.tells_foreign_dataset === true);
    const refusal = trainingRefusal(spec.method, dataset.modality);
    if (refusal !== null) throw new AppError('not_trainable', refusal);
    const model = await (spec.hub_model === null
      ? registeredModel(tx, spec.base_model_id)
      : obtainHubModel(tx, ctx, spec.hub_model).then((obtained) => obtained.model));
    const waits = spec.hub_model !== null && model.status === 'fetching';
    if (!waits) refuseUntrainable(model);
    const gpu_config = catalogued(spec.gpu_config ?? { type: 'CPU', count: 1 });
    const [created] = await tx
      .insert(trainingJobs)
      .values({
        user_id: ctx.user_id,
        name: spec.name,
        type: spec.method,
        dataset_id: dataset.id,
        base_model_id: model.id,
        preset_id: spec.preset_id,
        hyperparameters: spec.hyperparameters,
        gpu_config,
        trigger_words: spec.trigger_words,
        ...configureJob({ ...spec, base_model_id: model.id, gpu_config }, dataset, model),
        priority: spec.priority,
        current_stage: waits ? FETCHING_MODEL : null,
        retried_from: options.retried_from ?? null,
        held_at: spec.start ? null : sql`now()`,
      })
      .returning({ id: trainingJobs.id });
    if (created === undefined) throw new Error('the insert of a job returned no row');
    await announce(tx, {
      user_id: ctx.user_id,
      type: 'job_queued',
      message: spec.name,
      action_url: `/jobs/${created.id}`,
      metadata: { job_id: created.id },
    });
    await recordActivity(tx, {
      user_id: ctx.user_id,
      event_type: 'job_created',
      entity_type: 'job',
      entity_id: created.id,
      message: spec.name,
      status: 'queued',
      project_id: dataset.project_id,
      metadata: { dataset_id: dataset.id, base_model_id: model.id },
    });
    await options.after?.(tx, created.id);
    return findJob(tx, created.id);
  });
}

async function readyDataset(tx: Tx, id: string, tells_foreign: boolean) {
  // Locked, so that it cannot be deleted between this look and the commit.
  const [dataset] = await tx
    .select()
    .from(datasets)
    .where(and(eq(datasets.id, id), isNull(datasets.deleted_at)))
    .for('share');
  if (dataset === undefined) {
    if (tells_foreign && (await isSomebodys(tx, id))) {
      throw new AppError('forbidden', 'That dataset belongs to somebody else: use one of your own', [
        { path: 'dataset_id', message: 'belongs to somebody else', code: 'forbidden' },
      ]);
    }
    throw new AppError('not_found', 'There is no such dataset', [
      { path: 'dataset_id', message: 'no such dataset', code: 'not_found' },
    ]);
  }
  if (dataset.status !== 'ready') {
    const way = dataset.status === 'error' ? 'see its report for what to mend' : 'wait until its check is done';
    throw new AppError('dataset_not_ready', `Dataset ${dataset.name} is ${dataset.status}: ${way}`);
  }
  if (!dataset.training_ready || (dataset.total_training_pairs ?? 0) < 1) {
    throw new AppError('dataset_not_training_ready', `Dataset ${dataset.name} has no row to train on: see its report`);
  }
  return dataset;
}

/** Whether anybody has a dataset of this id: all that one user is ever told of another's. */
async function isSomebodys(tx: Tx, id: string): Promise<boolean> {
  const answer = await tx.execute<{ exists: boolean }>(sql`SELECT lowrank.dataset_exists(${id}) AS exists`);
  return answer.rows[0]?.exists === true;
}

async function registeredModel(tx: Tx, id: string | null): Promise<BaseModelRow> {
  const wanted = id ?? (await findDefaultBaseModel(tx));
  if (wanted === null) {
    throw new AppError('base_model_required', 'Say which base model to train: none is set as the default', [
      { path: 'base_model_id', message: 'is required while no default base model is set', code: 'required' },
    ]);
  }
  const [model] = await tx
    .select()
    .from(baseModels)
    .where(and(eq(baseModels.id, wanted), isNull(baseModels.deleted_at)));
  if (model === undefined) {
    throw new AppError('not_found', 'There is no such base model', [
      { path: 'base_model_id', message: 'no such base model', code: 'not_found' },
    ]);
  }
  return model;
}

function refuseUntrainable(model: BaseModelRow): void {
  if (model.status !== 'ready') {
    const reason = model.status_reason?.message ?? 'its files are still being fetched; try again when it is ready';
    throw new AppError('base_model_not_ready', `Base model ${model.name} is not ready: ${reason}`);
  }
  if (!model.trainable) {
    const reason = model.status_reason?.message ?? 'its architecture is not one that we train';
    throw new AppError('not_trainable', `Base model ${model.name} cannot be trained: ${reason}`);
  }
}

function catalogued(gpu: GPUConfig): GPUConfig {
  const type = findGpuType(gpu.type);
  if (type === null) {
    const message = `is not in the catalogue: ${Object.keys(GPU_CONFIGURATIONS).join(', ')}`;
    throw new AppError('invalid_request', `gpu_config.type ${message}`, [
      { path: 'gpu_config.type', message, code: 'unknown_gpu' },
    ]);
  }
  return { type, count: gpu.count };
}
