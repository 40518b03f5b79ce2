import * as z from 'zod';
import { HyperparameterConfig, PRESET_IDS } from './hyperparameters.ts';

/** What a name may be: one line, no control or direction characters, 1 to 120 of them. */
export const ResourceName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(120, 'must have at most 120 characters')
  .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]*$/u, 'must be one line without control characters');

/** The kinds of model that a trainer of ours can train. */
export const TRAINING_METHODS = ['lora'] as const;

export const GPUConfig = z.strictObject({ type: z.string().min(1).max(60), count: z.int().min(1).max(8) });
export type GPUConfig = z.infer<typeof GPUConfig>;

/** What was asked, in our one form, whichever door it came by. Ids are checked for existence by the verb, not here. */
export const TrainingSpec = z.strictObject({
  name: ResourceName,
  method: z.enum(TRAINING_METHODS),
  dataset_id: z.uuid(),
  /** null: the user's or the installation's default */
  base_model_id: z.uuid().nullable(),
  preset_id: z.enum(PRESET_IDS),
  hyperparameters: HyperparameterConfig,
  /** null: what the machine has */
  gpu_config: GPUConfig.nullable(),
  max_steps: z.int().min(1).max(1_000_000).nullable(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  priority: z.int().min(-10).max(10),
  start: z.boolean(),
});
export type TrainingSpec = z.infer<typeof TrainingSpec>;
