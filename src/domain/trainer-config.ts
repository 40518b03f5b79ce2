/** The `config.json` of one run: everything a trainer needs, with no default left to it (trainer/PROTOCOL.md). */
import * as z from 'zod';
import { FluxTrainerConfig, SdxlTrainerConfig, StableDiffusionTrainerConfig } from './image-trainer-config.ts';
import { COMMON_HEAD, COMMON_PARAMS, COMMON_TAIL, label, prompt, seed, steps, stepsFromOne } from './trainer-config-parts.ts';

export const TRAINER_METHODS = ['lora', 'dora'] as const;
export const DATASET_SHAPES = ['chat', 'sharegpt', 'alpaca', 'prompt_completion', 'text'] as const;
export const DATASET_CONTAINERS = ['jsonl', 'json'] as const;
export const INVALID_ROWS = ['refuse', 'skip'] as const;

/** The names that the trainer reads in a row; a mapping says which column of the file holds each. */
export const CANONICAL_FIELDS = [
  'messages',
  'conversations',
  'instruction',
  'input',
  'output',
  'history',
  'system',
  'tools',
  'prompt',
  'completion',
  'text',
] as const;

export const ColumnMapping = z.partialRecord(z.enum(CANONICAL_FIELDS), label);
export type ColumnMapping = z.infer<typeof ColumnMapping>;

export const TrainerDataset = z.strictObject({
  format: z.enum(DATASET_SHAPES),
  container: z.enum(DATASET_CONTAINERS),
  /** Canonical field to the file's column; a field that is not named is read under its own name. */
  mapping: ColumnMapping,
  /** What a row that breaks a rule does: end the run, or be left out and counted. */
  invalid_rows: z.enum(INVALID_ROWS),
  /** Rows held out for evaluation, chosen by seed and content; 0: no evaluation. */
  splits: z.strictObject({ eval_rows: z.int().min(0), seed }),
});
export type TrainerDataset = z.infer<typeof TrainerDataset>;

export const TrainingParams = z.strictObject({
  ...COMMON_PARAMS,
  /** At least one of `epochs` and `max_steps` is set; where both are, the earlier end counts. */
  epochs: z.number().gt(0).max(10_000).nullable(),
  max_steps: stepsFromOne.nullable(),
  target_modules: z.union([z.literal('all-linear'), z.array(label).min(1).max(100)]),
  /** Tokens; a longer row is cut at its end and counted. */
  max_seq_length: z.int().min(8).max(1_048_576),
  packing: z.boolean(),
  optimizer: z.literal('adamw'),
});
export type TrainingParams = z.infer<typeof TrainingParams>;

/** Of a causal language model. */
export const LanguageTrainerConfig = z.strictObject({
  ...COMMON_HEAD,
  dataset: TrainerDataset,
  model_kind: z.literal('causal-lm'),
  method: z.enum(TRAINER_METHODS),
  training_params: TrainingParams,
  eval: z.strictObject({
    /** Steps between two evaluations; 0: only at the end. */
    interval_steps: steps,
    /** Evaluate (and draw samples) once before the first step, so that a curve has its beginning. */
    at_start: z.boolean(),
    /** At most this many of the held-out rows are evaluated each time. */
    rows_max: z.int().min(0),
  }),
  /** Answered greedily at every evaluation and sent as `sample` lines. */
  sample_prompts: z.array(prompt).max(16),
  sample_max_new_tokens: z.int().min(1).max(4096),
  ...COMMON_TAIL,
});
export type LanguageTrainerConfig = z.infer<typeof LanguageTrainerConfig>;

/** One kind of model has one recipe in the trainer. */
export const TrainerConfig = z.discriminatedUnion('model_kind', [
  LanguageTrainerConfig,
  StableDiffusionTrainerConfig,
  SdxlTrainerConfig,
  FluxTrainerConfig,
]);
export type TrainerConfig = z.infer<typeof TrainerConfig>;
