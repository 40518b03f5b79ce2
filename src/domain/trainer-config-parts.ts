/** What the `config.json` of every model kind has in common (trainer/PROTOCOL.md). */
import * as z from 'zod';

export const TRAINER_PROTOCOL = 1;

/** The trained model's kind; each has one recipe in the trainer. */
export const MODEL_KINDS = ['causal-lm', 'stable-diffusion', 'sdxl', 'flux'] as const;

export const LR_SCHEDULES = ['cosine', 'linear', 'constant'] as const;
export const TRAINER_PRECISIONS = ['fp32', 'bf16', 'fp16'] as const;
export const TRAINER_STRATEGIES = ['none', 'ddp', 'fsdp'] as const;
export type TrainerStrategy = (typeof TRAINER_STRATEGIES)[number];
export const TRAINER_EXPORTS = ['safetensors'] as const;

/** The widest number of optimizer steps that a run may have. */
export const TRAINER_STEPS_MAX = 1_000_000_000;

const LABEL_MAX = 400;
const PATH_MAX = 4096;
const SEED_MAX = 2 ** 32 - 1;
/** Characters of one prompt. */
export const PROMPT_MAX = 4000;

export const absolutePath = z.string().min(1).max(PATH_MAX).startsWith('/');
export const label = z.string().min(1).max(LABEL_MAX);
export const prompt = z.string().min(1).max(PROMPT_MAX);
export const seed = z.int().min(0).max(SEED_MAX);
export const steps = z.int().min(0).max(TRAINER_STEPS_MAX);
export const stepsFromOne = z.int().min(1).max(TRAINER_STEPS_MAX);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const TrainerBaseModel = z.strictObject({
  /** What the adapter names as its base: a Hub id or a registered name, never a host path. */
  id: label,
  /** Local folder of the model in safetensors: config.json and tokenizer.json, or a diffusers pipeline with model_index.json. */
  path: absolutePath,
  revision: label.nullable(),
  /** If `id` is one of the Hub; false: only a name here, which the adapter must not send anyone to the Hub for. Left out: true. */
  on_hub: z.boolean().optional(),
});
export type TrainerBaseModel = z.infer<typeof TrainerBaseModel>;

/** Optimizer steps of each attempt that are measured: the first are left out, the next are timed. */
export const TrainerProbe = z.strictObject({
  warmup_steps: z.int().min(0).max(1000),
  timed_steps: z.int().min(1).max(1000),
  /** The attempt ends after them, with no adapter: it was for their figures alone. */
  only: z.boolean(),
});

/** Parameters that mean the same whatever is trained. */
export const COMMON_PARAMS = {
  /** 0 is allowed: seeds at learning rate 0 measure the noise of an evaluation. */
  learning_rate: z.number().min(0).max(1),
  lr_schedule: z.enum(LR_SCHEDULES),
  warmup_steps: steps,
  /** Rows or images (with packing: packed sequences) in one forward pass. */
  batch_size: z.int().min(1).max(4096),
  grad_accum: z.int().min(1).max(4096),
  lora_rank: z.int().min(1).max(1024),
  lora_alpha: z.number().gt(0).max(4096),
  lora_dropout: z.number().min(0).lt(1),
  precision: z.enum(TRAINER_PRECISIONS),
  seed,
  gradient_checkpointing: z.boolean(),
  weight_decay: z.number().min(0).max(1),
  /** 0: gradients are not clipped. */
  max_grad_norm: z.number().min(0).max(1000),
  /** Steps between two metric lines; their loss is the mean over those steps: per trained token, or per image. */
  logging_steps: stepsFromOne,
};

/** Fields around the parameters; those before `model_kind` and those after it. */
export const COMMON_HEAD = {
  protocol: z.literal(TRAINER_PROTOCOL),
  job_id: z.uuid(),
  attempt: z.int().min(1).max(1_000_000),
  dataset_path: absolutePath,
  base_model: TrainerBaseModel,
};
export const COMMON_TAIL = {
  trigger_words: z.array(label).max(100),
  /** Steps between two checkpoints; 0: only when interrupted. */
  checkpoint_interval: steps,
  checkpoints_kept: z.int().min(1).max(1000),
  probe: TrainerProbe,
  /** The job's own private folder: checkpoints are read from nowhere else. */
  job_folder: absolutePath,
  /** A checkpoint folder of this job, below `job_folder`. */
  resume_from: absolutePath.nullable(),
  /** Adapter folders to start from; the sum is that of the adapter's safetensors file. */
  init_adapters: z.array(z.strictObject({ path: absolutePath, sha256 })).max(1),
  devices: z.int().min(1).max(8),
  strategy: z.enum(TRAINER_STRATEGIES),
  device: z.enum(['cpu', 'cuda']),
  /** An existing folder in `job_folder`: events.jsonl, checkpoints/, adapter/ and passport.json come to lie in it. */
  output_path: absolutePath,
  export: z.array(z.enum(TRAINER_EXPORTS)).min(1),
};
