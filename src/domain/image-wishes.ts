/** What can be asked of a training on images beyond what every training has; what is left out is planned. */
import * as z from 'zod';
import { HyperparameterConfig } from './hyperparameters.ts';
import { IMAGE_OPTIMIZERS } from './image-trainer-config.ts';
import { PlainText } from './plain-text.ts';
import { Seed } from './recipes.ts';

const PROMPT_MAX = 1000;
/** What such a prompt is, in words. */
export const IMAGE_PROMPT_RULE = `plain text of 1 to ${PROMPT_MAX} characters, not spaces alone`;
const SAMPLE_PROMPTS_MAX = 8;

/** A caption, an instance prompt or what a sample is drawn from. */
export const ImagePrompt = PlainText.max(PROMPT_MAX, `must have at most ${PROMPT_MAX} characters`).refine(
  (text) => text.trim() !== '',
  'must not be empty',
);

const whole = (min: number, max: number) => z.int({ abort: true }).min(min).max(max);

export const ImageWishes = z
  .strictObject({
    instance_prompt: ImagePrompt.describe('Trained in place of the images’ captions'),
    bucketing: z.boolean().describe('Each image in the bucket of its own shape; false: all are cut to the square'),
    center_crop: z.boolean().describe('What a bucket cuts off, equally on both sides; false: at a place drawn from the seed'),
    random_flip: z.boolean().describe('Half of the passes see the image mirrored'),
    caption_dropout: z.number().min(0).max(1).describe('Share of the passes that see an empty caption'),
    train_text_encoder: z.boolean().describe('Adapters on the CLIP text encoders, too; not of FLUX'),
    text_encoder_learning_rate: HyperparameterConfig.shape.learning_rate,
    min_snr_gamma: z.number().gt(0).max(100).nullable().describe('null: all timesteps weigh the same; without meaning for FLUX'),
    noise_offset: z.number().min(0).max(1).describe('Without meaning for FLUX'),
    ema_decay: z.number().gt(0).lt(1).nullable().describe('The adapter is the moving average of the trained one'),
    optimizer: z.enum(IMAGE_OPTIMIZERS),
    cache_latents: z.boolean(),
    cache_text_embeddings: z.boolean().describe('Not while the text encoders are trained'),
    class_images: whole(1, 10_000).describe('Of prior preservation, at least so many'),
    prior_weight: z.number().min(0).max(100),
    sample_prompts: z.array(ImagePrompt).max(SAMPLE_PROMPTS_MAX, `must have at most ${SAMPLE_PROMPTS_MAX} prompts`),
    sample_seed: Seed,
    sample_steps: whole(1, 150).describe('Denoising steps of one sample'),
    sample_interval: whole(0, 1_000_000).describe('Steps between two rounds of samples; 0: at the end alone'),
  })
  .partial();
export type ImageWishes = z.infer<typeof ImageWishes>;
