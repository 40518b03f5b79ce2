/** The `config.json` of a run on an image model: Stable Diffusion 1.5, SDXL or FLUX. */
import * as z from 'zod';
import { COMMON_HEAD, COMMON_PARAMS, COMMON_TAIL, prompt, seed, steps, stepsFromOne } from './trainer-config-parts.ts';

/** LoRA, by captions or one prompt; DreamBooth: LoRA on one prompt, with or without prior preservation. */
export const IMAGE_TRAINER_METHODS = ['lora', 'dreambooth'] as const;
export const IMAGE_OPTIMIZERS = ['adamw', 'adamw_8bit'] as const;

/** Sides of a bucket are multiples of this: what three halvings by the VAE and two by the UNet take, and kohya's `bucket_reso_steps`. */
export const BUCKET_STEP = 64;
export const RESOLUTION_MAX = 2048;

export const ImageTrainingParams = z.strictObject({
  ...COMMON_PARAMS,
  max_steps: stepsFromOne,
  optimizer: z.enum(IMAGE_OPTIMIZERS),
  /** Of the text encoders' adapters; null: as `learning_rate`. */
  text_encoder_learning_rate: z.number().min(0).max(1).nullable(),
  /** Puts adapters on the CLIP text encoders, too. */
  train_text_encoder: z.boolean(),
  /** Side of the square, in pixels; with buckets, the root of their largest area. */
  resolution: z.int().min(BUCKET_STEP).max(RESOLUTION_MAX).multipleOf(BUCKET_STEP),
  /** Each image in the bucket nearest to its own shape; false: all in the square. */
  bucketing: z.boolean(),
  /** What a bucket cuts off: equally on both sides, or (false) at a place drawn for each image from the seed. */
  center_crop: z.boolean(),
  /** Half of the passes see the image mirrored. */
  random_flip: z.boolean(),
  /** Weight of a timestep at most: min(SNR, gamma), over SNR for epsilon and SNR + 1 for v-prediction (Hang et al. 2023); null: all weigh the same. */
  min_snr_gamma: z.number().gt(0).max(100).nullable(),
  /** Standard deviation of one further draw of noise for each channel of an image; 0: none. */
  noise_offset: z.number().min(0).max(1),
  /** The adapter that is written is the moving average of the trained one; null: the trained one itself. */
  ema_decay: z.number().gt(0).lt(1).nullable(),
  /** Each image goes through the VAE once, before the first step. */
  cache_latents: z.boolean(),
  /** Each caption goes through the text encoders once; not while they are trained. */
  cache_text_embeddings: z.boolean(),
  /** Share of the passes that see an empty caption. */
  caption_dropout: z.number().min(0).max(1),
});
export type ImageTrainingParams = z.infer<typeof ImageTrainingParams>;

/** Flow matching has no SNR of a noise schedule, and T5 is not trained. */
const FluxTrainingParams = ImageTrainingParams.extend({
  text_encoder_learning_rate: z.null(),
  train_text_encoder: z.literal(false),
  min_snr_gamma: z.null(),
  noise_offset: z.literal(0),
});

const IMAGE_FIELDS = {
  ...COMMON_HEAD,
  method: z.enum(IMAGE_TRAINER_METHODS),
  training_params: ImageTrainingParams,
  /** Prior preservation, of `dreambooth` alone: images of the class are trained beside each batch, their loss times `weight`. */
  prior: z
    .strictObject({
      class_prompt: prompt,
      /** At least so many: what the dataset's own class images lack is drawn by the base model once, before the first step. */
      class_images: z.int().min(1).max(100_000),
      weight: z.number().min(0).max(100),
    })
    .nullable(),
  /** Trained in place of the images' captions; null: each by its own. */
  instance_prompt: prompt.nullable(),
  /** Drawn at the training's resolution and told in `sample` lines. */
  sample_prompts: z.array(prompt).max(16),
  /** Of the first prompt's noise; each further prompt has the next number. */
  sample_seed: seed,
  /** Denoising steps of one sample. */
  sample_steps: z.int().min(1).max(1000),
  /** Steps between two rounds of samples, the first before the first step; 0: only at the end. */
  sample_interval: steps,
  ...COMMON_TAIL,
};

export const StableDiffusionTrainerConfig = z.strictObject({ ...IMAGE_FIELDS, model_kind: z.literal('stable-diffusion') });
export const SdxlTrainerConfig = z.strictObject({ ...IMAGE_FIELDS, model_kind: z.literal('sdxl') });
export const FluxTrainerConfig = z.strictObject({
  ...IMAGE_FIELDS,
  model_kind: z.literal('flux'),
  training_params: FluxTrainingParams,
});

export const ImageTrainerConfig = z.discriminatedUnion('model_kind', [
  StableDiffusionTrainerConfig,
  SdxlTrainerConfig,
  FluxTrainerConfig,
]);
export type ImageTrainerConfig = z.infer<typeof ImageTrainerConfig>;
