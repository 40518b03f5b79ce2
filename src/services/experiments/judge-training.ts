import { and, eq, inArray, isNull } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { modelArtifacts, trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { imageShapeOfRow } from '#/domain/foresight/models/stored-shape.ts';
import { findGpu, type GpuEntry } from '#/domain/gpu-catalog.ts';
import { memoryFigures, UNKNOWN_MEMORY } from '#/domain/memory-figures.ts';
import {
  type Preflight,
  type PreflightAdapter,
  type PreflightDataset,
  type PreflightFacts,
  type PreflightModel,
  preflight,
} from '#/domain/preflight.ts';
import { BUILT_IN_RECIPES } from '#/domain/recipes.ts';
import { questionOf, runOfWizard, type WizardTraining } from '#/domain/wizard-training.ts';
import type { Context } from '#/services/context.ts';
import { readGpuCatalog } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import { chooseGpu, devicesFor } from '#/services/jobs/choose-gpu.ts';
import { type CountedDataset, foreseeTraining, readForesight } from '#/services/jobs/foresee-training.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { findRecipe, type ListedRecipe } from '#/services/recipes/recipe-row.ts';

/** Judges a training of the caller's; stores nothing. What is not there is told in the judgement. */
export function preflightTraining(ctx: Context, asked: WizardTraining): Promise<Preflight> {
  return asUser(ctx.user_id, async (tx) => (await judgeTraining(tx, ctx, asked)).judgement);
}

/** The same in the caller's transaction, with the recipe that it found. */
export async function judgeTraining(
  tx: Tx,
  ctx: Context,
  asked: WizardTraining,
): Promise<{ judgement: Preflight; recipe: ListedRecipe | null }> {
  const recipe = await recipeOrNull(tx, asked.recipe_id);
  const model = await modelOrNull(tx, asked.base_model_id);
  const dataset = await datasetOrNull(tx, asked.dataset_id);
  const catalog = await readGpuCatalog(tx);
  const { gpu_type, gpus } = asked.resources;
  const facts: PreflightFacts = {
    recipe,
    model,
    dataset,
    adapters: await adaptersOrNull(
      tx,
      asked.adapters.map(({ adapter_id }) => adapter_id),
    ),
    gpu: gpuOf(catalog, gpu_type),
    image_side: imageShapeOfRow(model?.shape ?? null)?.side ?? null,
  };
  // Without its recipe the rest is judged by the defaults that all share.
  const defaults = (recipe ?? BUILT_IN_RECIPES[0])?.defaults;
  if (defaults === undefined) throw new Error('there is no built-in recipe');
  const sources = await readForesight(tx, ctx.user_id, catalog);
  const device = await devicesFor(tx, { type: gpu_type ?? null, count: gpus });
  const memory = () => {
    if (recipe === null || model === null || dataset === null) return UNKNOWN_MEMORY;
    const gpu = chooseGpu(catalog, device);
    return memoryFigures(foreseeTraining(sources, { spec: runOfWizard(asked, recipe), dataset, model, gpu }));
  };
  return { judgement: preflight(facts, questionOf(asked, defaults), memory), recipe };
}

async function recipeOrNull(tx: Tx, ref: string): Promise<ListedRecipe | null> {
  try {
    return await findRecipe(tx, ref);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return null;
    throw error;
  }
}

async function modelOrNull(tx: Tx, id: string): Promise<(PreflightModel & BaseModelRow) | null> {
  const [model] = await tx
    .select()
    .from(baseModels)
    .where(and(eq(baseModels.id, id), isNull(baseModels.deleted_at)));
  return model === undefined ? null : { ...model, licence: licenceOf(model) };
}

/** What a model's card says of its licence, or else people, under either spelling. */
function licenceOf({ license, user_metadata }: BaseModelRow): string | null {
  const told = license ?? user_metadata.license ?? user_metadata.licence;
  return typeof told === 'string' && told !== '' ? told.slice(0, 100) : null;
}

async function datasetOrNull(tx: Tx, id: string): Promise<(PreflightDataset & CountedDataset) | null> {
  const [dataset] = await tx
    .select({
      name: datasets.name,
      status: datasets.status,
      training_ready: datasets.training_ready,
      modality: datasets.modality,
      format: datasets.format,
      num_samples: datasets.num_samples,
      statistics: datasets.statistics,
      total_training_pairs: datasets.total_training_pairs,
      total_validation_pairs: datasets.total_validation_pairs,
      total_tokens: datasets.total_tokens,
      file_size: datasets.file_size,
      metadata: datasets.metadata,
    })
    .from(datasets)
    .where(and(eq(datasets.id, id), isNull(datasets.deleted_at)));
  return dataset === undefined ? null : { ...dataset, training_pairs: dataset.total_training_pairs ?? 0 };
}

async function adaptersOrNull(tx: Tx, ids: string[]): Promise<(PreflightAdapter | null)[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .select({
      id: modelArtifacts.id,
      name: modelArtifacts.name,
      base_model_id: trainingJobs.base_model_id,
      method: trainingJobs.type,
      hyperparameters: trainingJobs.hyperparameters,
    })
    .from(modelArtifacts)
    .innerJoin(trainingJobs, eq(trainingJobs.id, modelArtifacts.job_id))
    .where(and(inArray(modelArtifacts.id, ids), eq(modelArtifacts.kind, 'adapter'), isNull(modelArtifacts.deleted_at)));
  return ids.map((id) => {
    const row = rows.find((one) => one.id === id);
    if (row === undefined) return null;
    const { name, base_model_id, method, hyperparameters } = row;
    return { name, base_model_id, method, rank: hyperparameters.rank };
  });
}

function gpuOf(catalog: readonly GpuEntry[], asked: string | null | undefined): PreflightFacts['gpu'] {
  if (asked == null) return null;
  return { asked, known: findGpu(catalog, asked) !== null, catalogue: catalog.map(({ type }) => type) };
}
