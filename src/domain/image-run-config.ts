/** A plan of a training on images and the facts of one attempt become the trainer's complete `config.json`. */
import * as z from 'zod';
import { type AttemptFacts, fieldsOfAttempt, paramsOfAttempt, StoredBaseModel, StoredSpec } from './attempt-config.ts';
import { IMAGE_MODEL_KINDS } from './image-pipeline.ts';
import { ImageTrainerConfig, ImageTrainingParams, StableDiffusionTrainerConfig } from './image-trainer-config.ts';
import { TRAINER_CAN } from './trainer-abilities.ts';
import { TRAINER_STRATEGIES } from './trainer-config-parts.ts';

const planned = StableDiffusionTrainerConfig.shape;

/** What the stored `config` of a job on an image model must hold to be run; it holds more. */
export const StoredImageConfig = z.object({
  spec: StoredSpec,
  plan: z.object({
    ...ImageTrainingParams.omit({
      learning_rate: true,
      batch_size: true,
      max_steps: true,
      lora_rank: true,
      lora_alpha: true,
      lora_dropout: true,
      precision: true,
      seed: true,
    }).shape,
    modality: z.literal('image'),
    // A pipeline that was waited for was planned anew when it was there.
    model_kind: z.enum(IMAGE_MODEL_KINDS),
    total_steps: z.int(),
    micro_batch: z.int().min(1),
    devices: z.int().min(1).max(TRAINER_CAN.devices_max),
    strategy: z.enum(TRAINER_STRATEGIES),
    checkpoint_interval: z.int(),
    checkpoints_kept: z.int(),
    prior: planned.prior,
    instance_prompt: planned.instance_prompt,
    sample_prompts: planned.sample_prompts,
    sample_seed: planned.sample_seed,
    sample_steps: planned.sample_steps,
    sample_interval: planned.sample_interval,
  }),
  base_model: StoredBaseModel,
});
export type StoredImageConfig = z.infer<typeof StoredImageConfig>;

/** Whether a stored configuration, of whatever release, is one of a training on images. */
export function isImageConfig(config: Record<string, unknown>): boolean {
  return z.object({ plan: z.object({ modality: z.literal('image') }) }).safeParse(config).success;
}

/** The complete configuration of one attempt: no default is left to the trainer. */
export function makeImageTrainerConfig(stored: StoredImageConfig, facts: AttemptFacts): ImageTrainerConfig {
  const { spec, plan } = stored;
  const {
    modality: _,
    model_kind,
    total_steps,
    micro_batch,
    checkpoint_interval: __,
    checkpoints_kept: ___,
    devices: ____,
    strategy: _____,
    prior,
    instance_prompt,
    sample_prompts,
    sample_seed,
    sample_steps,
    sample_interval,
    ...params
  } = plan;
  return ImageTrainerConfig.parse({
    ...fieldsOfAttempt(stored, facts),
    model_kind,
    method: spec.method,
    training_params: {
      ...paramsOfAttempt(stored, facts),
      ...params,
      // A processor has no kernels of 8 bits.
      optimizer: facts.device === 'cpu' ? 'adamw' : params.optimizer,
      batch_size: micro_batch,
      max_steps: total_steps,
    },
    prior,
    instance_prompt,
    sample_prompts,
    sample_seed,
    sample_steps,
    sample_interval,
  });
}
