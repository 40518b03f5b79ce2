import { and, eq, isNull, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { experiments } from '#/db/schema/experiments.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Forecast } from '#/domain/foresight/foresee.ts';
import { imageModelKind } from '#/domain/image-pipeline.ts';
import { SAMPLE_PROMPTS } from '#/domain/image-plan.ts';
import { misfit } from '#/domain/memory-figures.ts';
import { whyUnshared } from '#/domain/planner.ts';
import type { AskedOfTrainer } from '#/domain/trainer-hello.ts';
import { type TrainingSpec, trainingRefusal } from '#/domain/training-spec.ts';
import { recordActivity } from '#/services/activities/record-activity.ts';
import type { Context } from '#/services/context.ts';
import type { DatasetRow } from '#/services/datasets/dataset-row.ts';
import { firstCaptions } from '#/services/datasets/first-captions.ts';
import { readGpuCatalog } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import { findDefaultBaseModel } from '#/services/models/find-default-base-model.ts';
import { findNamedFolder } from '#/services/models/find-named-folder.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { noSuchModel, refuseWithoutModel } from '#/services/models/model-use.ts';
import { type HubWish, obtainHubModel } from '#/services/models/register-hub-model.ts';
import { announce } from '#/services/notifications/announce.ts';
import { refuseImage } from '#/services/training-images/use-image.ts';
import { chooseGpu, devicesFor } from './choose-gpu.ts';
import { configureJob, FETCHING_MODEL } from './configure-job.ts';
import { foreseeTraining, readForesight } from './foresee-training.ts';
import { grantLimits } from './grant-limits.ts';
import { findJob, type JobRow } from './job-row.ts';
import { readyDataset } from './ready-dataset.ts';

/** What a submission may bring besides its spec. */
export interface SubmissionOptions {
  /** The job that this one repeats. */
  retried_from?: string;
  /** The experiment that it belongs to; without one, what has a recipe opens its own. */
  experiment_id?: string | null;
  /** Says `forbidden` of a dataset that is somebody else's, where every other caller is told that there is none. */
  tells_foreign_dataset?: boolean;
  /** Its door has no words for images. */
  text_only?: boolean;
  /** Runs first in the same transaction; a job id that it returns is answered instead of a new job. */
  before?: (tx: Tx) => Promise<string | null>;
  /** Runs last in the same transaction, once the job is stored. */
  after?: (tx: Tx, job_id: string) => Promise<void>;
}

/** A spec, or what makes it in the submission's transaction, for a door whose defaults lie in rows. */
export type AskedSpec = TrainingSpec | ((tx: Tx) => Promise<TrainingSpec>);

/**
 * The one way to a job: checks what the spec names, fills in and counts everything, and stores the job as queued with
 * its notification and its activity. A Hub model that is not there yet is registered, and the job waits for it out of the queue. Throws
 * `not_found` (dataset, base model, training image), `forbidden` (dataset), `dataset_not_ready`, `dataset_not_training_ready`,
 * `base_model_required`, `base_model_not_ready`, `training_image_not_ready`, `not_trainable`, `invalid_request` (GPU type), `quota_exceeded`, `storage_full`.
 */
export async function createJob(ctx: Context, asked: AskedSpec, options: SubmissionOptions = {}): Promise<JobRow> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await options.before?.(tx);
    if (known != null) return findJob(tx, known);
    const spec = typeof asked === 'function' ? await asked(tx) : asked;
    const dataset = await readyDataset(tx, spec.dataset_id, { tells_foreign: options.tells_foreign_dataset === true });
    refuseMismatch(spec, dataset, null);
    if (options.text_only) refuseImages(dataset);
    const model = await (spec.hub_model === null
      ? registeredModel(tx, ctx.user_id, spec.base_model_id)
      : namedModel(tx, ctx, spec.hub_model));
    const waits = spec.hub_model !== null && model.status === 'fetching';
    if (!waits) {
      refuseUntrainable(model);
      refuseMismatch(spec, dataset, model.modality);
    }
    const catalog = await readGpuCatalog(tx);
    const gpu = chooseGpu(catalog, await devicesFor(tx, spec.gpu_config));
    const gpu_config = { type: gpu.type, count: gpu.count };
    refuseUnshared(spec.hyperparameters.batch_size, gpu.count);
    const captions = await firstCaptions(tx, dataset, SAMPLE_PROMPTS);
    const forecast = foreseeTraining(await readForesight(tx, ctx.user_id, catalog), { spec, dataset, model, gpu, captions });
    // What a model that is still to be fetched is, nobody knows: its run is judged again when it is launched.
    await refuseImage(tx, spec.training_image_id, waits ? null : askedOfTrainer(spec.method, model, forecast.plan));
    if (!spec.probe_only) refuseMisfit(forecast);
    const limits = await grantLimits(tx, spec.limits);
    const configured = configureJob(
      { ...spec, base_model_id: model.id, gpu_config },
      { dataset, model, gpu, limits, own_device: (spec.gpu_config?.type ?? null) === null, forecast },
    );
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
        recipe_id: spec.run.recipe_id,
        experiment_id: options.experiment_id ?? (await openExperiment(tx, ctx, spec, dataset.project_id)),
        metadata: spec.metadata,
        ...configured,
        priority: spec.priority,
        current_stage: waits ? FETCHING_MODEL : null,
        retried_from: options.retried_from ?? null,
        held_at: spec.start ? null : sql`now()`,
      })
      .returning({ id: trainingJobs.id });
    if (created === undefined) throw new Error('the insert of a job returned no row');
    await refuseWithoutModel(tx, model.id);
    await announce(tx, {
      user_id: ctx.user_id,
      type: 'job_queued',
      message: spec.name,
      action_url: `/jobs/${created.id}`,
      metadata: { job_id: created.id },
      data: { name: spec.name, status: 'queued' },
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

/** A submission by a recipe is an experiment, and what is tried again of it belongs to the same; others have none. */
async function openExperiment(tx: Tx, ctx: Context, spec: TrainingSpec, project_id: string | null): Promise<string | null> {
  const { recipe_id } = spec.run;
  if (recipe_id === null) return null;
  const [experiment] = await tx
    .insert(experiments)
    .values({ user_id: ctx.user_id, name: spec.name, recipe_id, project_id })
    .returning({ id: experiments.id });
  return experiment?.id ?? null;
}

async function namedModel(tx: Tx, ctx: Context, wish: HubWish): Promise<BaseModelRow> {
  return (await findNamedFolder(tx, wish)) ?? (await obtainHubModel(tx, ctx, wish)).model;
}

async function registeredModel(tx: Tx, user_id: string, id: string | null): Promise<BaseModelRow> {
  const wanted = id ?? (await findDefaultBaseModel(tx, user_id));
  if (wanted === null) {
    throw new AppError('base_model_required', 'Say which base model to train: none is set as the default', [
      { path: 'base_model_id', message: 'is required while no default base model is set', code: 'required' },
    ]);
  }
  const [model] = await tx
    .select()
    .from(baseModels)
    .where(and(eq(baseModels.id, wanted), isNull(baseModels.deleted_at)));
  if (model === undefined) throw noSuchModel();
  return model;
}

function askedOfTrainer(
  method: TrainingSpec['method'],
  { architecture }: BaseModelRow,
  { strategy, devices }: Forecast['plan'],
): AskedOfTrainer {
  return { model_kind: imageModelKind(architecture) ?? 'causal-lm', method, strategy, devices };
}

/** Throws `not_trainable` for a batch that its devices cannot share, each the same rows. */
function refuseUnshared(batch_size: number, devices: number): void {
  const message = whyUnshared(batch_size, devices);
  if (message === null) return;
  throw new AppError('not_trainable', message, [{ path: 'gpu_config.count', message, code: 'batch_does_not_divide' }]);
}

const TEXT_ONLY =
  'This door trains language models on text: submit a dataset of images by POST /api/training/submit (in steps), or by POST /api/jobs with a recipe_id';

/** Throws `not_trainable` for a dataset that a door without words for images cannot have trained on. */
export function refuseImages({ modality }: Pick<DatasetRow, 'modality'>): void {
  if (modality === 'text') return;
  throw new AppError('not_trainable', TEXT_ONLY, [{ path: 'dataset_id', message: TEXT_ONLY, code: 'modality_mismatch' }]);
}

/** Throws `not_trainable` for what no trainer of ours can do; `model_modality` null: its model is not known yet. */
export function refuseMismatch(
  { method }: Pick<TrainingSpec, 'method'>,
  dataset: DatasetRow,
  model_modality: string | null,
): void {
  const refusal = trainingRefusal(method, { dataset_modality: dataset.modality, model_modality });
  if (refusal !== null)
    throw new AppError('not_trainable', refusal, [{ path: 'dataset_id', message: refusal, code: 'modality_mismatch' }]);
}

const MEASURE_IT = 'A submission with probe_only: true tries its first steps all the same, and measures them.';

/** Throws `not_trainable` for what does not fit its device however its steps are passed, with what would. */
function refuseMisfit({ foreseen }: Forecast): void {
  if (foreseen?.verdict !== 'will_not_fit') return;
  const message = `This training does not fit: ${misfit(foreseen)} ${MEASURE_IT}`;
  throw new AppError('not_trainable', message, [{ path: 'gpu_config', message, code: 'will_not_fit' }]);
}

/** Throws `base_model_not_ready` and `not_trainable`, with the model's own reason. */
export function refuseUntrainable(model: BaseModelRow): void {
  if (model.status !== 'ready') {
    const reason = model.status_reason?.message ?? 'its files are still being fetched; try again when it is ready';
    throw new AppError('base_model_not_ready', `Base model ${model.name} is not ready: ${reason}`);
  }
  if (!model.trainable) {
    const reason = model.status_reason?.message ?? 'its architecture is not one that we train';
    throw new AppError('not_trainable', `Base model ${model.name} cannot be trained: ${reason}`);
  }
}
