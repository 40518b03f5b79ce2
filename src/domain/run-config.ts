/** A plan and the facts of one attempt become the trainer's complete `config.json`. */
import * as z from 'zod';
import { AskedHyperparameters } from './hyperparameters.ts';
import { RunLimits } from './run-limits.ts';
import { TRAINER_CAN } from './trainer-abilities.ts';
import { ColumnMapping, DATASET_CONTAINERS, DATASET_SHAPES, INVALID_ROWS, LanguageTrainerConfig } from './trainer-config.ts';
import { TRAINER_PROTOCOL, TRAINER_STRATEGIES } from './trainer-config-parts.ts';
import { NO_WISHES, RunWishes, TRAINING_METHODS } from './training-spec.ts';

/** What a job's stored `config` must hold to be run; it holds more. */
export const StoredConfig = z.object({
  spec: z.object({
    hyperparameters: AskedHyperparameters,
    max_steps: z.int().nullable(),
    seed: z.int(),
    trigger_words: z.array(z.string()).default([]),
    method: z.enum(TRAINING_METHODS).default('lora'),
    run: RunWishes.default(NO_WISHES),
    probe_only: z.boolean().default(false),
    limits: RunLimits.default({}),
  }),
  plan: z.object({
    total_epochs: z.number(),
    warmup_steps: z.int(),
    grad_accum: z.int(),
    /** Rows of one pass of one device; left out: as many as were asked for. */
    micro_batch: z.int().min(1).optional(),
    devices: z.int().min(1).max(TRAINER_CAN.devices_max).default(1),
    strategy: z.enum(TRAINER_STRATEGIES).default('none'),
    max_seq_length: z.int(),
    packing: z.boolean(),
    gradient_checkpointing: z.boolean(),
    lr_schedule: z.literal('cosine'),
    weight_decay: z.number(),
    max_grad_norm: z.number(),
    eval_rows: z.int(),
    eval_interval: z.int(),
    checkpoint_interval: z.int(),
    checkpoints_kept: z.int(),
    logging_steps: z.int(),
  }),
  dataset: z.object({
    format: z.enum(DATASET_SHAPES),
    mapping: ColumnMapping,
    invalid_rows: z.enum(INVALID_ROWS),
    file_name: z.string(),
    container: z.enum(DATASET_CONTAINERS).nullish(),
  }),
  base_model: z.object({ name: z.string(), hf_repo_id: z.string().nullable(), revision: z.string().nullable() }),
});
export type StoredConfig = z.infer<typeof StoredConfig>;

/** What a stored configuration, of whatever release, says of its run's limits. */
export function limitsOf(config: Record<string, unknown>): RunLimits {
  return z.object({ spec: z.object({ limits: RunLimits }) }).safeParse(config).data?.spec.limits ?? {};
}

/** If a stored configuration, of whatever release, asks for the first steps alone. */
export function isProbeOnly(config: Record<string, unknown>): boolean {
  return z.object({ spec: z.object({ probe_only: z.literal(true) }) }).safeParse(config).success;
}

/** Where this attempt runs and what lies where. All paths are absolute. */
export interface AttemptFacts {
  job_id: string;
  attempt: number;
  dataset_path: string;
  base_model_path: string;
  job_folder: string;
  output_path: string;
  /** The newest complete checkpoint of an earlier attempt. */
  resume_from: string | null;
  device: 'cpu' | 'cuda';
  /** Of the GPU, for example 8.6; null on the CPU and where it is not known. */
  compute_capability: number | null;
  /** The adapter that the training goes on from, with the sum of its weights. */
  init_adapters: { path: string; sha256: string }[];
}

/** The first steps of each attempt: the first few are slower than the rest, the next ones tell how fast it goes. */
export const PROBE_STEPS = { warmup_steps: 3, timed_steps: 5 };

/** From this compute capability on, a GPU computes in bfloat16. */
const BFLOAT16_FROM = 8;

/** What was asked for where the device does it: a processor computes in fp32, an older GPU has no bf16. */
function precisionOf(facts: AttemptFacts, asked: RunWishes['mixed_precision']): 'fp32' | 'bf16' | 'fp16' {
  if (facts.device === 'cpu' || asked === 'fp32') return 'fp32';
  if (asked === 'fp16') return 'fp16';
  return facts.compute_capability !== null && facts.compute_capability < BFLOAT16_FROM ? 'fp16' : 'bf16';
}

/** The complete configuration of one attempt: no default is left to the trainer. */
export function makeTrainerConfig(stored: StoredConfig, facts: AttemptFacts): LanguageTrainerConfig {
  const { spec, plan, dataset, base_model } = stored;
  const { hyperparameters } = spec;
  return LanguageTrainerConfig.parse({
    protocol: TRAINER_PROTOCOL,
    job_id: facts.job_id,
    attempt: facts.attempt,
    dataset_path: facts.dataset_path,
    dataset: {
      format: dataset.format,
      container: dataset.container ?? (dataset.file_name.toLowerCase().endsWith('.json') ? 'json' : 'jsonl'),
      mapping: dataset.mapping,
      invalid_rows: dataset.invalid_rows,
      splits: { eval_rows: plan.eval_rows, seed: spec.seed },
    },
    base_model: {
      id: base_model.hf_repo_id ?? base_model.name,
      path: facts.base_model_path,
      revision: base_model.revision,
      on_hub: base_model.hf_repo_id !== null,
    },
    model_kind: 'causal-lm',
    method: spec.method === 'dora' ? 'dora' : 'lora',
    training_params: {
      learning_rate: hyperparameters.learning_rate,
      lr_schedule: plan.lr_schedule,
      warmup_steps: plan.warmup_steps,
      batch_size: plan.micro_batch ?? hyperparameters.batch_size,
      grad_accum: plan.grad_accum,
      epochs: hyperparameters.epochs === null ? null : plan.total_epochs,
      max_steps: spec.max_steps,
      lora_rank: hyperparameters.rank,
      lora_alpha: hyperparameters.alpha,
      lora_dropout: hyperparameters.dropout,
      target_modules: 'all-linear',
      max_seq_length: plan.max_seq_length,
      precision: precisionOf(facts, spec.run.mixed_precision),
      seed: spec.seed,
      packing: plan.packing,
      gradient_checkpointing: plan.gradient_checkpointing,
      weight_decay: plan.weight_decay,
      max_grad_norm: plan.max_grad_norm,
      optimizer: 'adamw',
      logging_steps: plan.logging_steps,
    },
    trigger_words: spec.trigger_words,
    eval: { interval_steps: plan.eval_interval, at_start: plan.eval_rows > 0, rows_max: plan.eval_rows },
    checkpoint_interval: plan.checkpoint_interval,
    checkpoints_kept: plan.checkpoints_kept,
    probe: { ...PROBE_STEPS, only: spec.probe_only },
    sample_prompts: [],
    sample_max_new_tokens: 64,
    job_folder: facts.job_folder,
    resume_from: facts.resume_from,
    init_adapters: facts.init_adapters,
    devices: plan.devices,
    strategy: plan.strategy,
    device: facts.device,
    output_path: facts.output_path,
    // What the trainer lacks of the exports is told as skipped; its own form is what a job ends with.
    export: [...TRAINER_CAN.exports],
  });
}
