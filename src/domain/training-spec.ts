import * as z from 'zod';
import { AskedHyperparameters, DEVICES_MAX, PRESET_IDS } from './hyperparameters.ts';
import { ImageWishes } from './image-wishes.ts';
import { HubRepoId, HubRevision } from './model-hub-id.ts';
import { PLAIN_LINE } from './plain-text.ts';
import {
  GradAccum,
  Interval,
  RECIPE_METHODS,
  type RecipeMethod,
  RowTokens,
  Seed,
  WarmupSteps,
  whyUnavailable,
} from './recipes.ts';
import { RunLimits } from './run-limits.ts';
import { EVAL_SUITES, EXPORT_FORMATS, lacking, MIXED_PRECISIONS, TRAINER_CAN } from './trainer-abilities.ts';
import { PROMPT_MAX, TRAINER_STRATEGIES } from './trainer-config-parts.ts';

/** What a name may be: one line of plain text, 1 to 120 characters. */
export const ResourceName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(120, 'must have at most 120 characters')
  .regex(...PLAIN_LINE);

/** What a training can be asked to make. Which of them this installation can do is another question: see `trainingRefusal`. */
export const TRAINING_METHODS = RECIPE_METHODS;
export type TrainingMethod = RecipeMethod;

/** Trigger words as the one prompt that images without captions are trained with. */
export const promptOf = (trigger_words: readonly string[]): string => trigger_words.join(', ');

/** Words that stand for the trained subject in an image's caption; the first is DreamBooth's instance token. */
export const TriggerWords = z
  .array(ResourceName)
  .max(100, 'must have at most 100 words')
  .refine(
    (words) => promptOf(words).length <= PROMPT_MAX,
    `must have at most ${PROMPT_MAX} characters together, with ", " between them, as they make one prompt: give fewer or shorter words`,
  );

const side_rule = { error: 'resolution must be a multiple of 64 between 256 and 1024', abort: true };
/** Pixels of a training image's side. */
export const Resolution = z.int(side_rule).min(256, side_rule).max(1024, side_rule).multipleOf(64, side_rule);

export const GPUConfig = z.strictObject({
  type: z.string().min(1).max(60),
  count: z.int({ abort: true }).min(1).max(DEVICES_MAX),
});
export type GPUConfig = z.infer<typeof GPUConfig>;

/** Devices as they are asked for. `type` null: of what the machine has. */
export const AskedDevices = GPUConfig.extend({ type: GPUConfig.shape.type.nullable() });
export type AskedDevices = z.infer<typeof AskedDevices>;

/** Which of one's own jobs starts first. */
export const Priority = z.int({ abort: true }).min(-10).max(10);

/** How a run goes, where its door lets one say it; null: planned. */
export const RunWishes = z.strictObject({
  /** The built-in style or saved template that the rest was filled in from. */
  recipe_id: z.uuid().nullable(),
  /** Forward passes a step: `batch_size` is the rows of one, over all devices. */
  grad_accum: GradAccum,
  warmup_steps: WarmupSteps.nullable(),
  checkpoint_interval: Interval.nullable(),
  eval_interval: Interval.nullable(),
  eval_suites: z.array(z.enum(EVAL_SUITES)),
  exports: z.array(z.enum(EXPORT_FORMATS)).min(1),
  strategy: z.enum(TRAINER_STRATEGIES),
  /** null: what the device computes best in */
  mixed_precision: z.enum(MIXED_PRECISIONS).nullable(),
  /** Tokens at which rows are cut; null: what the model was made for, within reason. */
  max_seq_length: RowTokens.nullable().default(null),
  /** A part of an executor; null: any */
  partition_id: z.string().max(100).nullable(),
  /** Artifacts that the training goes on from. */
  adapters: z.array(z.uuid()).max(TRAINER_CAN.adapters_max),
});
export type RunWishes = z.infer<typeof RunWishes>;

/** No wish but for the rest of the spec. */
export const NO_WISHES: RunWishes = {
  recipe_id: null,
  grad_accum: 1,
  warmup_steps: null,
  checkpoint_interval: null,
  eval_interval: null,
  eval_suites: [],
  exports: ['safetensors'],
  strategy: 'none',
  mixed_precision: null,
  max_seq_length: null,
  partition_id: null,
  adapters: [],
};

/** What was asked, in our one form, whichever door it came by. Ids are checked for existence by the verb, not here. */
export const TrainingSpec = z
  .strictObject({
    name: ResourceName,
    method: z.enum(TRAINING_METHODS),
    dataset_id: z.uuid(),
    /** null: the user's or the installation's default */
    base_model_id: z.uuid().nullable(),
    /** A model by its Hub id, which is registered and fetched where it is not there yet; goes before `base_model_id`. */
    hub_model: z.strictObject({ hf_repo_id: HubRepoId, revision: HubRevision }).nullable().default(null),
    preset_id: z.enum(PRESET_IDS),
    /** Without epochs the run is counted in `max_steps`. */
    hyperparameters: AskedHyperparameters,
    /** null: one of what the machine has */
    gpu_config: AskedDevices.nullable(),
    max_steps: z.int().min(1).max(1_000_000).nullable(),
    trigger_words: TriggerWords.default([]),
    /** null: not asked; only images have one */
    resolution: Resolution.nullable().default(null),
    /** What is asked of a training on images; without meaning for text. */
    image: ImageWishes.optional(),
    seed: Seed,
    run: RunWishes.default(NO_WISHES),
    /** What its client notes on it; nobody here reads it. */
    metadata: z.record(z.string(), z.unknown()).default({}),
    /** Its first steps alone, for what they measure: it ends without an artifact. */
    probe_only: z.boolean().default(false),
    limits: RunLimits.default({}),
    /** null: the trainer that comes along */
    training_image_id: z.uuid().nullable().default(null),
    priority: Priority,
    start: z.boolean(),
    /** Its client waits to be told how the launch went: a lasting fault of what starts runs is its end, and not a reason to wait. */
    awaits_launch: z.literal(true).optional(),
  })
  .refine((spec) => spec.hyperparameters.epochs !== null || spec.max_steps !== null, {
    path: ['max_steps'],
    message: 'is required for a run without epochs',
  });
export type TrainingSpec = z.infer<typeof TrainingSpec>;

/** What is trained on what, by modality; null: the base model is not known yet. */
export interface TrainedPair {
  dataset_modality: string;
  model_modality: string | null;
}

/** Why no trainer of ours can do this, with the way out; null when one can. */
export function trainingRefusal(method: TrainingMethod, { dataset_modality, model_modality }: TrainedPair): string | null {
  if (!(TRAINER_CAN.modalities as readonly string[]).includes(dataset_modality))
    return `A dataset of modality ${dataset_modality} cannot be trained on here: use one of ${TRAINER_CAN.modalities.join(' or ')}`;
  if (model_modality !== null && model_modality !== dataset_modality)
    return `A base model of modality ${model_modality} is not trained on a dataset of modality ${dataset_modality}: use a dataset of modality ${model_modality}, or another base model`;
  if (dataset_modality === 'image') {
    if ((TRAINER_CAN.image_methods as readonly string[]).includes(method)) return null;
    return `Image models are trained by ${TRAINER_CAN.image_methods.join(' or ')} here, and ${method} was asked for: use one of these, or a dataset of text`;
  }
  if (method === 'dreambooth')
    return 'DreamBooth trains an image model on a few images: send type "lora" with a dataset of text, or use a dataset of images';
  return whyUnavailable(method);
}

/** Something known that was asked for and that is not to be had here: the training goes on without it, and says so. */
export const SkippedWish = z.object({ kind: z.enum(['eval', 'export', 'limit']), name: z.string(), message: z.string() });
export type SkippedWish = z.infer<typeof SkippedWish>;

/** What of these wishes the trainer leaves out. */
export function skippedWishes(run: Pick<RunWishes, 'eval_suites' | 'exports'>, modality = 'text'): SkippedWish[] {
  const suites = modality === 'image' ? TRAINER_CAN.image_eval_suites : TRAINER_CAN.eval_suites;
  const of = (kind: SkippedWish['kind'], names: readonly string[], able: readonly string[], what: string) =>
    lacking(names, able).map((name) => ({
      kind,
      name,
      message: `${what} ${name} is skipped: the trainer of this installation does ${able.join(', ') || `none on ${modality}s`}.`,
    }));
  return [...of('eval', run.eval_suites, suites, 'Evaluation'), ...of('export', run.exports, TRAINER_CAN.exports, 'Export to')];
}
