/** Door C's way of asking for a training, and how the rest of it comes from its recipe. */
import type { ImageWishes } from './image-wishes.ts';
import type { PreflightQuestion } from './preflight.ts';
import type { Recipe, RecipeDefaults } from './recipes.ts';
import type { RunLimits } from './run-limits.ts';
import type { EvalSuite, ExportFormat, MixedPrecision } from './trainer-abilities.ts';
import type { TrainerConfig } from './trainer-config.ts';
import type { RunWishes, TrainingSpec } from './training-spec.ts';

/** What is asked; what is left out comes from the recipe. */
export interface WizardTraining {
  base_model_id: string;
  dataset_id: string;
  /** A recipe's id, or a built-in one's method. */
  recipe_id: string;
  adapters: { adapter_id: string }[];
  train: {
    max_steps: number;
    global_batch_size: number;
    grad_accum?: number | undefined;
    max_seq_length?: number | undefined;
    learning_rate?: number | undefined;
    warmup_steps?: number | undefined;
    seed?: number | undefined;
    checkpoint_interval?: number | undefined;
  };
  strategy: { type?: TrainerConfig['strategy'] | undefined; mixed_precision?: MixedPrecision | undefined };
  resources: { gpus: number; gpu_type?: string | null | undefined; partition_id?: string | null | undefined };
  eval: { suites: EvalSuite[]; interval?: number | undefined };
  export?: ExportFormat[] | undefined;
  trigger_words?: string[] | undefined;
  /** Of a training on images. */
  image?: (ImageWishes & { resolution?: number | undefined }) | undefined;
}

/** The same as a submission, with what only a job has. */
export interface WizardSubmission extends WizardTraining {
  name: string;
  metadata: Record<string, unknown>;
  probe_only: boolean;
  limits: RunLimits;
  training_image_id: string | null;
  priority: number;
  start: boolean;
}

/** What is asked with every default of its recipe filled in, as it is judged. */
export function questionOf(asked: WizardTraining, defaults: RecipeDefaults): PreflightQuestion {
  const { train, strategy, resources } = asked;
  return {
    max_steps: train.max_steps,
    global_batch_size: train.global_batch_size,
    gpus: resources.gpus,
    rank: defaults.rank,
    resolution: asked.image?.resolution ?? null,
    trigger_words: asked.trigger_words ?? [],
    run: {
      grad_accum: train.grad_accum ?? defaults.grad_accum,
      warmup_steps: train.warmup_steps ?? defaults.warmup_steps,
      eval_suites: asked.eval.suites,
      exports: asked.export ?? defaults.export,
      strategy: strategy.type ?? defaults.strategy,
      mixed_precision: strategy.mixed_precision ?? defaults.mixed_precision,
      partition_id: resources.partition_id ?? null,
    },
  };
}

/** How a training that its preflight finds nothing against is run: whole numbers only once its batch divides. */
export function runOfWizard(
  asked: WizardTraining,
  recipe: Recipe,
): Pick<TrainingSpec, 'method' | 'hyperparameters' | 'max_steps' | 'run' | 'trigger_words' | 'resolution' | 'image' | 'seed'> {
  const { defaults } = recipe;
  const question = questionOf(asked, defaults);
  const { train } = asked;
  const run: RunWishes = {
    ...question.run,
    recipe_id: recipe.id,
    max_seq_length: train.max_seq_length ?? null,
    checkpoint_interval: train.checkpoint_interval ?? defaults.checkpoint_interval,
    eval_interval: asked.eval.interval ?? defaults.eval_interval,
    adapters: asked.adapters.map(({ adapter_id }) => adapter_id),
  };
  const { resolution = null, ...image } = asked.image ?? {};
  return {
    method: recipe.method,
    trigger_words: asked.trigger_words ?? [],
    resolution,
    image,
    seed: train.seed ?? defaults.seed,
    hyperparameters: {
      learning_rate: train.learning_rate ?? defaults.learning_rate,
      batch_size: question.global_batch_size / run.grad_accum,
      epochs: null,
      rank: defaults.rank,
      alpha: defaults.alpha,
      dropout: defaults.dropout,
    },
    max_steps: train.max_steps,
    run,
  };
}

/** A submission that passed its preflight as our one spec. */
export function specOfWizard(asked: WizardSubmission, recipe: Recipe): TrainingSpec {
  const { resources } = asked;
  return {
    ...runOfWizard(asked, recipe),
    name: asked.name,
    dataset_id: asked.dataset_id,
    base_model_id: asked.base_model_id,
    hub_model: null,
    preset_id: 'custom',
    gpu_config: { type: resources.gpu_type ?? null, count: resources.gpus },
    metadata: asked.metadata,
    probe_only: asked.probe_only,
    limits: asked.limits,
    training_image_id: asked.training_image_id,
    priority: asked.priority,
    start: asked.start,
  };
}

/** Which door a submission's body is made for: its shape says it, and one that mixes two is refused. */
export function doorOf(body: unknown): { door: 'b' | 'c'; mixed: string[] } {
  const fields = typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.keys(body) : [];
  const is_c = DOOR_C_SIGNS.some((sign) => fields.includes(sign));
  return { door: is_c ? 'c' : 'b', mixed: is_c ? DOOR_B_SIGNS.filter((sign) => fields.includes(sign)) : [] };
}

/** Fields that only this door's body has. */
const DOOR_B_SIGNS = ['preset_id', 'hyperparameters'];
const DOOR_C_SIGNS = ['recipe_id', 'train'];
