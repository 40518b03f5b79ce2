/** The `config.json` of one run: everything a trainer needs, with no default left to it (trainer/PROTOCOL.md). */
import * as z from 'zod';

export const TRAINER_PROTOCOL = 1;

/** The trained model's kind; each has one recipe in the trainer. */
export const MODEL_KINDS = ['causal-lm'] as const;
export const TRAINER_METHODS = ['lora', 'dora'] as const;
export const DATASET_SHAPES = ['chat', 'sharegpt', 'alpaca', 'prompt_completion', 'text'] as const;
export const DATASET_CONTAINERS = ['jsonl', 'json'] as const;
export const INVALID_ROWS = ['refuse', 'skip'] as const;
export const LR_SCHEDULES = ['cosine', 'linear', 'constant'] as const;
export const TRAINER_PRECISIONS = ['fp32', 'bf16', 'fp16'] as const;
export const TRAINER_STRATEGIES = ['none', 'ddp', 'fsdp'] as const;
export const TRAINER_EXPORTS = ['safetensors'] as const;

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

/** The widest number of optimizer steps that a run may have. */
export const TRAINER_STEPS_MAX = 1_000_000_000;

const LABEL_MAX = 400;
const PATH_MAX = 4096;
const SEED_MAX = 2 ** 32 - 1;

const absolutePath = z.string().min(1).max(PATH_MAX).startsWith('/');
const label = z.string().min(1).max(LABEL_MAX);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const seed = z.int().min(0).max(SEED_MAX);
const steps = z.int().min(0).max(TRAINER_STEPS_MAX);
const stepsFromOne = z.int().min(1).max(TRAINER_STEPS_MAX);

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

export const TrainerBaseModel = z.strictObject({
  /** What the adapter names as its base: a Hub id or a registered name, never a host path. */
  id: label,
  /** Local folder that holds config.json, tokenizer.json and safetensors weights. */
  path: absolutePath,
  revision: label.nullable(),
  /** If `id` is one of the Hub; false: only a name here, which the adapter must not send anyone to the Hub for. Left out: true. */
  on_hub: z.boolean().optional(),
});
export type TrainerBaseModel = z.infer<typeof TrainerBaseModel>;

export const TrainingParams = z.strictObject({
  /** 0 is allowed: seeds at learning rate 0 measure the noise of an evaluation. */
  learning_rate: z.number().min(0).max(1),
  lr_schedule: z.enum(LR_SCHEDULES),
  warmup_steps: steps,
  /** Rows (with packing: packed sequences) in one forward pass. */
  batch_size: z.int().min(1).max(4096),
  grad_accum: z.int().min(1).max(4096),
  /** At least one of `epochs` and `max_steps` is set; where both are, the earlier end counts. */
  epochs: z.number().gt(0).max(10_000).nullable(),
  max_steps: stepsFromOne.nullable(),
  lora_rank: z.int().min(1).max(1024),
  lora_alpha: z.number().gt(0).max(4096),
  lora_dropout: z.number().min(0).lt(1),
  target_modules: z.union([z.literal('all-linear'), z.array(label).min(1).max(100)]),
  /** Tokens; a longer row is cut at its end and counted. */
  max_seq_length: z.int().min(8).max(1_048_576),
  precision: z.enum(TRAINER_PRECISIONS),
  seed,
  packing: z.boolean(),
  gradient_checkpointing: z.boolean(),
  weight_decay: z.number().min(0).max(1),
  /** 0: gradients are not clipped. */
  max_grad_norm: z.number().min(0).max(1000),
  optimizer: z.literal('adamw'),
  /** Steps between two metric lines; their loss is the mean per trained token over those steps. */
  logging_steps: stepsFromOne,
});
export type TrainingParams = z.infer<typeof TrainingParams>;

/** Optimizer steps of each attempt that are measured: the first are left out, the next are timed. */
export const TrainerProbe = z.strictObject({
  warmup_steps: z.int().min(0).max(1000),
  timed_steps: z.int().min(1).max(1000),
  /** The attempt ends after them, with no adapter: it was for their figures alone. */
  only: z.boolean(),
});

export const TrainerConfig = z.strictObject({
  protocol: z.literal(TRAINER_PROTOCOL),
  job_id: z.uuid(),
  attempt: z.int().min(1).max(1_000_000),
  dataset_path: absolutePath,
  dataset: TrainerDataset,
  base_model: TrainerBaseModel,
  model_kind: z.enum(MODEL_KINDS),
  method: z.enum(TRAINER_METHODS),
  training_params: TrainingParams,
  trigger_words: z.array(label).max(100),
  eval: z.strictObject({
    /** Steps between two evaluations; 0: only at the end. */
    interval_steps: steps,
    /** Evaluate (and draw samples) once before the first step, so that a curve has its beginning. */
    at_start: z.boolean(),
    /** At most this many of the held-out rows are evaluated each time. */
    rows_max: z.int().min(0),
  }),
  /** Steps between two checkpoints; 0: only when interrupted. */
  checkpoint_interval: steps,
  checkpoints_kept: z.int().min(1).max(1000),
  probe: TrainerProbe,
  /** Answered greedily at every evaluation and sent as `sample` lines. */
  sample_prompts: z.array(z.string().min(1).max(4000)).max(16),
  sample_max_new_tokens: z.int().min(1).max(4096),
  /** The job's own private folder: checkpoints are read from nowhere else. */
  job_folder: absolutePath,
  /** A checkpoint folder of this job, below `job_folder`. */
  resume_from: absolutePath.nullable(),
  /** Adapter folders to start from; the sum is that of adapter_model.safetensors. */
  init_adapters: z.array(z.strictObject({ path: absolutePath, sha256 })).max(1),
  devices: z.int().min(1).max(8),
  strategy: z.enum(TRAINER_STRATEGIES),
  device: z.enum(['cpu', 'cuda']),
  /** An existing folder in `job_folder`: events.jsonl, checkpoints/, adapter/ and passport.json come to lie in it. */
  output_path: absolutePath,
  export: z.array(z.enum(TRAINER_EXPORTS)).min(1),
});
export type TrainerConfig = z.infer<typeof TrainerConfig>;
