/** Everything that can be said of a training before it is submitted, from facts alone: no I/O, and no invented number. */
import { type JudgedDataset, type JudgedModel, judgeCompatibility } from './dataset-compatibility.ts';
import { HYPERPARAMETER_RANGES } from './hyperparameters.ts';
import { imageDatasetFacts } from './image-dataset.ts';
import { type MemoryFigures, UNKNOWN_MEMORY, type VramBreakdown } from './memory-figures.ts';
import { type Recipe, type RecipeMethod, whyUnavailable } from './recipes.ts';
import type { BASE_MODEL_STATUSES } from './statuses.ts';
import { TRAINER_CAN } from './trainer-abilities.ts';
import { type RunWishes, skippedWishes } from './training-spec.ts';

export interface PreflightModel extends JudgedModel {
  id: string;
  status: (typeof BASE_MODEL_STATUSES)[number];
  status_reason: { code: string; message: string } | null;
  trainable: boolean;
  quantized: boolean;
  is_gguf: boolean;
  vocab_size: number | null;
  /** As people or the model's card say it; null where nobody does. */
  licence: string | null;
}

export interface PreflightDataset extends JudgedDataset {
  training_pairs: number;
  metadata?: Record<string, unknown>;
}

/** An adapter to start from. */
export interface PreflightAdapter {
  name: string;
  base_model_id: string;
  method: RecipeMethod;
  rank: number;
}

/** What is asked, everything filled in. */
export interface PreflightQuestion {
  max_steps: number;
  global_batch_size: number;
  gpus: number;
  rank: number;
  /** Of images: pixels of a side; null: what the model was made for. */
  resolution?: number | null;
  trigger_words?: readonly string[];
  run: Pick<
    RunWishes,
    'grad_accum' | 'warmup_steps' | 'eval_suites' | 'exports' | 'strategy' | 'mixed_precision' | 'partition_id'
  >;
}

/** What the question names; null where there is no such thing. */
export interface PreflightFacts {
  recipe: Recipe | null;
  model: PreflightModel | null;
  dataset: PreflightDataset | null;
  adapters: (PreflightAdapter | null)[];
  /** The device by name: what was written, and whether the catalogue knows it. Null: none was named. */
  gpu: { asked: string; known: boolean; catalogue: readonly string[] } | null;
  /** Pixels that an image model was made for; null: of text, or its files do not say. */
  image_side?: number | null;
}

export type Preflight = Omit<MemoryFigures, 'vram_breakdown' | 'throughput'> & {
  ok: boolean;
  vram_breakdown: VramBreakdown | Record<string, never>;
  throughput: MemoryFigures['throughput'] | Record<string, never>;
};

/** Licences that ask for more than to be named; told, never enforced. */
const CONDITIONAL_LICENCE = /\bnc\b|non-?commercial|llama|gemma|research|rail|\bother\b/i;

/**
 * Judges a training. `memory` says what it needs; it is asked only where nothing else speaks against it. Errors begin with
 * `ERROR:`; with one, every figure is 0 and its parts are empty.
 */
export function preflight(
  facts: PreflightFacts,
  question: PreflightQuestion,
  memory: () => MemoryFigures = () => UNKNOWN_MEMORY,
): Preflight {
  const said: Said = { warnings: [], errors: [] };
  checkNames(facts, said);
  checkModel(facts, said);
  checkRecipe(facts, said);
  checkData(facts, question, said);
  checkAdapters(facts, question, said);
  checkBatch(facts, question, said);
  checkDevices(facts, question, said);
  for (const skipped of skippedWishes(question.run, facts.dataset?.modality)) said.warnings.push(skipped.message);
  const figures = said.errors.length === 0 ? memory() : null;
  if (figures !== null) {
    said.warnings.push(...figures.warnings);
    said.errors.push(...figures.errors);
  }
  const warnings = [...new Set(said.warnings)];
  const errors = [...new Set(said.errors)].map((error) => `ERROR: ${error}`);
  if (figures !== null && errors.length === 0) return { ...figures, ok: true, warnings, errors };
  return {
    ok: false,
    warnings,
    errors,
    estimated_vram_mb: 0,
    vram_breakdown: {},
    time_per_step_ms: 0,
    throughput: {},
    verdict: figures?.verdict ?? null,
    interval_mb: null,
    advice: figures?.advice ?? [],
    evidence: figures?.evidence ?? { runs: 0 },
  };
}

/** How many rows one forward pass takes; not a whole number where batch, accumulation and GPUs do not divide. */
function microBatch(question: Pick<PreflightQuestion, 'global_batch_size' | 'gpus'>, grad_accum: number): number {
  return question.global_batch_size / (grad_accum * question.gpus);
}

interface Said {
  warnings: string[];
  errors: string[];
}

function checkNames({ recipe, model, dataset, adapters }: PreflightFacts, { errors }: Said): void {
  if (recipe === null) errors.push('There is no such recipe.');
  if (model === null) errors.push('There is no such base model.');
  if (dataset === null) errors.push('There is no such dataset.');
  if (adapters.includes(null)) errors.push('There is no such adapter to start from.');
}

function checkModel({ model }: PreflightFacts, { warnings, errors }: Said): void {
  if (model === null) return;
  const { name, status_reason: reason } = model;
  // The licence gate: the Hub gives the weights only to who accepted it.
  if (reason?.code === 'gated_model')
    errors.push(`Base model ${name} is gated: accept its licence on its page at the Hub, and set a token that may read it.`);
  else if (model.status === 'error')
    errors.push(`Base model ${name} cannot be used: ${reason?.message ?? 'its files could not be read'}.`);
  else if (model.status === 'fetching') errors.push(`Base model ${name} is still being fetched: try again when it is there.`);
  else if (!model.trainable && !model.quantized && !model.is_gguf)
    errors.push(`Base model ${name} cannot be trained: ${reason?.message ?? 'its architecture is not one that we train'}.`);
  if (model.licence === null && model.status === 'ready')
    warnings.push(`The licence of base model ${name} is not known: see where it comes from before what you make of it is used.`);
  else if (model.licence !== null && CONDITIONAL_LICENCE.test(model.licence))
    warnings.push(
      `Base model ${name} is under the licence ${model.licence}, which has conditions: see that your use keeps them.`,
    );
  if (model.vocab_size === null && model.modality === 'text') warnings.push(`The vocabulary of base model ${name} is not known.`);
}

/** A picture that is made larger shows nothing more, and a model knows the sizes that it was made for. */
function pictureWarnings(
  dataset: PreflightDataset,
  { resolution, trigger_words = [] }: PreflightQuestion,
  image_side: number | null | undefined,
): string[] {
  const { short_side, captioned, images } = imageDatasetFacts({
    total_training_pairs: dataset.training_pairs,
    statistics: dataset.statistics,
    metadata: dataset.metadata ?? {},
  });
  const side = resolution ?? image_side ?? null;
  const said: string[] = [];
  if (side !== null && short_side !== null && short_side.median < side)
    said.push(
      `Half of the images of dataset ${dataset.name} have a short side below ${side} pixels: they are enlarged, and blur what is learnt.`,
    );
  else if (side !== null && short_side !== null && short_side.min < side)
    said.push(
      `Some images of dataset ${dataset.name} have a short side below ${side} pixels (${short_side.min}): they are enlarged.`,
    );
  if (resolution != null && image_side != null && resolution > image_side)
    said.push(
      `The base model was made for ${image_side} pixels a side, and ${resolution} are asked for: it repeats what it draws.`,
    );
  if (captioned === 0 && trigger_words.length === 0)
    said.push(
      `No image of dataset ${dataset.name} has a caption, and no trigger word is given: nothing calls up what is learnt.`,
    );
  else if (captioned < images)
    said.push(`${images - captioned} of the ${images} images of dataset ${dataset.name} have no caption.`);
  return said;
}

function checkRecipe({ recipe, model, dataset }: PreflightFacts, { errors }: Said): void {
  if (recipe === null) return;
  const unavailable = whyUnavailable(recipe.method);
  if (unavailable !== null) errors.push(unavailable);
  for (const [what, modality] of [
    ['Dataset', dataset],
    ['Base model', model],
  ] as const) {
    if (modality !== null && !recipe.supports.modalities.includes(modality.modality))
      errors.push(
        `${what} ${modality.name} is of modality ${modality.modality}, and ${recipe.name} trains ${recipe.supports.modalities.join(', ')}.`,
      );
  }
  if (model === null) return;
  if (model.is_gguf)
    errors.push(`Base model ${model.name} is a GGUF file, which no recipe trains: register its original safetensors weights.`);
  else if (model.quantized && !recipe.supports.quantized_bases)
    errors.push(
      `Base model ${model.name} is quantized, and ${recipe.name} trains only full weights: use QLoRA, or the same model in bfloat16.`,
    );
}

function checkData(
  { model, dataset, image_side }: PreflightFacts,
  question: PreflightQuestion,
  { warnings, errors }: Said,
): void {
  if (dataset === null || model === null) return;
  const judged = judgeCompatibility(dataset, model);
  errors.push(...judged.errors);
  warnings.push(...judged.warnings);
  if (model.context_length !== null && model.context_length < CONTEXT_MIN)
    errors.push(`Base model ${model.name} takes ${model.context_length} tokens: rows want at least ${CONTEXT_MIN}.`);
  warnings.push(...spokenInText(dataset));
  if (dataset.modality === 'image' && model.modality === 'image')
    warnings.push(...pictureWarnings(dataset, question, image_side));
}

/** Tokens of the shortest row that a trainer takes. */
const CONTEXT_MIN = 8;

function spokenInText({ name, statistics }: PreflightDataset): string[] {
  const told = Array.isArray(statistics.warnings) ? (statistics.warnings as { code?: unknown }[]) : [];
  return told.some((warning) => warning.code === 'special_token_in_text')
    ? [`Control tokens of a model’s vocabulary stand in the text of dataset ${name}: see its report.`]
    : [];
}

function checkAdapters({ model, recipe, adapters }: PreflightFacts, question: PreflightQuestion, { errors }: Said): void {
  if (adapters.length > TRAINER_CAN.adapters_max)
    errors.push(`A training starts from one adapter at most, and ${adapters.length} are named.`);
  if (adapters.length > 0 && recipe?.method === 'full') errors.push(`${recipe.name} starts from no adapter.`);
  for (const adapter of adapters) {
    if (adapter === null) continue;
    if (model !== null && adapter.base_model_id !== model.id)
      errors.push(`Adapter ${adapter.name} was trained on another base model than ${model.name}.`);
    if (adapter.rank !== question.rank)
      errors.push(
        `Adapter ${adapter.name} has rank ${adapter.rank}, and this training rank ${question.rank}: take a recipe of its rank.`,
      );
    // DreamBooth is LoRA on one prompt.
    const is_lora = (method: RecipeMethod) => method === 'lora' || method === 'dreambooth';
    const same = recipe !== null && (adapter.method === recipe.method || (is_lora(adapter.method) && is_lora(recipe.method)));
    if (recipe !== null && recipe.method !== 'full' && !same)
      errors.push(`Adapter ${adapter.name} was trained by ${adapter.method}, and this training is ${recipe.method}.`);
  }
}

function checkBatch({ dataset }: PreflightFacts, question: PreflightQuestion, { warnings, errors }: Said): void {
  const { global_batch_size, gpus, max_steps, run } = question;
  const micro = microBatch(question, run.grad_accum);
  const { max } = HYPERPARAMETER_RANGES.batch_size;
  if (!Number.isInteger(micro))
    errors.push(
      `A global batch of ${global_batch_size} does not divide into ${run.grad_accum} forward passes on ${gpus} GPU${gpus === 1 ? '' : 's'}: make it a multiple of ${run.grad_accum * gpus}.`,
    );
  else if (micro > max)
    errors.push(
      `A forward pass would take ${micro} rows, and at most ${max} are taken: set grad_accum to ${Math.ceil(global_batch_size / (max * gpus))} or more.`,
    );
  if (run.warmup_steps !== null && run.warmup_steps >= max_steps)
    warnings.push(`The learning rate warms up for ${run.warmup_steps} steps, and the run has ${max_steps}: it never falls.`);
  if (dataset !== null && dataset.training_pairs > 0 && global_batch_size > dataset.training_pairs)
    warnings.push(
      `A global batch of ${global_batch_size} is more than the ${dataset.training_pairs} rows of dataset ${dataset.name}.`,
    );
}

function checkDevices({ gpu }: PreflightFacts, question: PreflightQuestion, { warnings, errors }: Said): void {
  const { gpus, run } = question;
  if (gpu !== null && !gpu.known) errors.push(`${gpu.asked} is not in the catalogue: ${gpu.catalogue.join(', ')}.`);
  if (gpus === 1 && run.strategy !== 'none')
    warnings.push(`One GPU has nobody to share its work with: it trains without ${run.strategy}.`);
  if (gpus > 1 && run.strategy === 'none')
    warnings.push(`${gpus} GPUs share their work by ddp, or by fsdp where the model does not fit each of them.`);
  if (run.partition_id !== null)
    errors.push(`No executor of this installation has a partition ${run.partition_id}: leave it out.`);
  if (gpu?.asked.toLowerCase() === 'cpu' && run.mixed_precision !== null && run.mixed_precision !== 'fp32')
    warnings.push(`A processor trains in fp32, whatever precision is asked for (${run.mixed_precision}).`);
}
