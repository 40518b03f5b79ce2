/** A plan and the facts of one attempt become the trainer's complete `config.json`. */
import * as z from 'zod';
import { type AttemptFacts, fieldsOfAttempt, paramsOfAttempt, StoredBaseModel, StoredSpec } from './attempt-config.ts';
import { isImageConfig, makeImageTrainerConfig, StoredImageConfig } from './image-run-config.ts';
import { RunLimits } from './run-limits.ts';
import { TRAINER_CAN } from './trainer-abilities.ts';
import {
  ColumnMapping,
  DATASET_CONTAINERS,
  DATASET_SHAPES,
  INVALID_ROWS,
  LanguageTrainerConfig,
  type TrainerConfig,
} from './trainer-config.ts';
import { TRAINER_STRATEGIES } from './trainer-config-parts.ts';

/** What the stored `config` of a job on a language model must hold to be run; it holds more. */
export const StoredConfig = z.object({
  spec: StoredSpec,
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
  base_model: StoredBaseModel,
});
export type StoredConfig = z.infer<typeof StoredConfig>;

/** What a stored configuration, of whatever release, says of its run's limits: those that were granted, else those that were asked for. */
export function limitsOf(config: Record<string, unknown>): RunLimits {
  const granted = z.object({ limits: RunLimits }).safeParse(config).data?.limits;
  return granted ?? z.object({ spec: z.object({ limits: RunLimits }) }).safeParse(config).data?.spec.limits ?? {};
}

/** If a stored configuration, of whatever release, asks for the first steps alone. */
export function isProbeOnly(config: Record<string, unknown>): boolean {
  return z.object({ spec: z.object({ probe_only: z.literal(true) }) }).safeParse(config).success;
}

export type AnyStoredConfig = StoredConfig | StoredImageConfig;

/** What a job's configuration holds of its run, whatever is trained; read by its own kind, so that a fault is told by its field. */
export function readStoredConfig(config: Record<string, unknown>): z.ZodSafeParseResult<AnyStoredConfig> {
  return isImageConfig(config) ? StoredImageConfig.safeParse(config) : StoredConfig.safeParse(config);
}

/** The complete configuration of one attempt: no default is left to the trainer. Throws a `ZodError` where it cannot be made. */
export function configureAttempt(stored: AnyStoredConfig, facts: AttemptFacts): TrainerConfig {
  return 'modality' in stored.plan
    ? makeImageTrainerConfig(stored as StoredImageConfig, facts)
    : makeTrainerConfig(stored as StoredConfig, facts);
}

/** The same of a language model. */
export function makeTrainerConfig(stored: StoredConfig, facts: AttemptFacts): LanguageTrainerConfig {
  const { spec, plan, dataset } = stored;
  const { hyperparameters } = spec;
  return LanguageTrainerConfig.parse({
    ...fieldsOfAttempt(stored, facts),
    dataset: {
      format: dataset.format,
      container: dataset.container ?? (dataset.file_name.toLowerCase().endsWith('.json') ? 'json' : 'jsonl'),
      mapping: dataset.mapping,
      invalid_rows: dataset.invalid_rows,
      splits: { eval_rows: plan.eval_rows, seed: spec.seed },
    },
    model_kind: 'causal-lm',
    method: spec.method === 'dora' ? 'dora' : 'lora',
    training_params: {
      ...paramsOfAttempt(stored, facts),
      lr_schedule: plan.lr_schedule,
      warmup_steps: plan.warmup_steps,
      batch_size: plan.micro_batch ?? hyperparameters.batch_size,
      grad_accum: plan.grad_accum,
      epochs: hyperparameters.epochs === null ? null : plan.total_epochs,
      max_steps: spec.max_steps,
      target_modules: 'all-linear',
      max_seq_length: plan.max_seq_length,
      packing: plan.packing,
      gradient_checkpointing: plan.gradient_checkpointing,
      weight_decay: plan.weight_decay,
      max_grad_norm: plan.max_grad_norm,
      optimizer: 'adamw',
      logging_steps: plan.logging_steps,
    },
    eval: { interval_steps: plan.eval_interval, at_start: plan.eval_rows > 0, rows_max: plan.eval_rows },
    sample_prompts: [],
    sample_max_new_tokens: 64,
  });
}
