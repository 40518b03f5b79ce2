/** A training on images with every default filled in and every step counted. */
import type { Passes } from './foresight/choose-passes.ts';
import type { ImageDatasetFacts } from './image-dataset.ts';
import type { ImageModelKind } from './image-pipeline.ts';
import type { ImageTrainerConfig, ImageTrainingParams } from './image-trainer-config.ts';
import { ALONE, askedPasses, checkpointInterval, countSteps, loggingSteps, type Sharing } from './planner.ts';
import type { TrainerStrategy } from './trainer-config-parts.ts';
import { promptOf, type TrainingSpec } from './training-spec.ts';

/** Of a pipeline that is fetched first nothing is known but that it draws: then it is planned anew when it is there. */
type PlannedParams = Omit<
  ImageTrainingParams,
  'learning_rate' | 'batch_size' | 'max_steps' | 'lora_rank' | 'lora_alpha' | 'lora_dropout' | 'precision' | 'seed'
>;

export interface ImagePlan extends PlannedParams {
  modality: 'image';
  /** null: not known yet */
  model_kind: ImageModelKind | null;
  steps_per_epoch: number;
  total_steps: number;
  total_epochs: number;
  /** Images in one forward pass of one device, class images aside, and passes a step: their product with the devices is what was asked for. */
  micro_batch: number;
  grad_accum: number;
  devices: number;
  strategy: TrainerStrategy;
  checkpoint_interval: number;
  checkpoints_kept: number;
  prior: ImageTrainerConfig['prior'];
  instance_prompt: string | null;
  sample_prompts: string[];
  sample_seed: number;
  sample_steps: number;
  sample_interval: number;
}

/** The instance token of a DreamBooth run that names none: diffusers' own example, a rare token of CLIP (examples/dreambooth/README.md). */
export const INSTANCE_TOKEN = 'sks';

/** What the kinds differ in. `side`: pixels that they are trained at where nobody asks for others. */
const KINDS = {
  // min-SNR 5 is what Hang et al. 2023 recommend, and examples/text_to_image/README.md of diffusers. 50 steps are its pipelines' own.
  'stable-diffusion': { side: 512, min_snr_gamma: 5, sample_steps: 30, text_encoder: true },
  sdxl: { side: 1024, min_snr_gamma: 5, sample_steps: 30, text_encoder: true },
  // pipeline_flux.py: num_inference_steps.
  flux: { side: 1024, min_snr_gamma: null, sample_steps: 28, text_encoder: false },
} as const satisfies Record<ImageModelKind, object>;

/** diffusers' examples/dreambooth/train_dreambooth_lora_sdxl.py: num_class_images, prior_loss_weight, adam_weight_decay, max_grad_norm, text_encoder_lr. */
const DIFFUSERS = { class_images: 100, prior_weight: 1, weight_decay: 1e-4, max_grad_norm: 1, text_encoder_learning_rate: 5e-6 };
const SAMPLE_ROUNDS = 5;
/** Of the dataset's captions. */
export const SAMPLE_PROMPTS = 3;
/** The narrowest and widest sides that a training may have. */
const SIDES = { min: 256, max: 1024, step: 64 } as const;

export type ImageSpec = Pick<
  TrainingSpec,
  'method' | 'hyperparameters' | 'max_steps' | 'run' | 'trigger_words' | 'resolution' | 'image' | 'seed'
>;

/** What the planner needs to know of an image model; `side` null: its files do not say. */
export interface PlannedImageModel {
  kind: ImageModelKind | null;
  side: number | null;
}

/** Pixels of a side: those that were asked for, or those that the model was made for. */
export function resolutionOf(spec: Pick<ImageSpec, 'resolution'>, { kind, side }: PlannedImageModel): number {
  if (spec.resolution !== null) return spec.resolution;
  const made_for = side ?? KINDS[kind ?? 'stable-diffusion'].side;
  return Math.min(SIDES.max, Math.max(SIDES.min, Math.round(made_for / SIDES.step) * SIDES.step));
}

/** `captions`: some of the dataset's own, for its samples. Pure arithmetic, as `planTraining` is for text, with the same `passes` and `sharing`. */
export function planImages(
  spec: ImageSpec,
  dataset: ImageDatasetFacts,
  model: PlannedImageModel,
  captions: readonly string[],
  passes?: Passes,
  sharing: Sharing = ALONE,
): ImagePlan {
  const { hyperparameters, run, max_steps, image = {}, trigger_words } = spec;
  const kind = KINDS[model.kind ?? 'stable-diffusion'];
  const resolution = resolutionOf(spec, model);
  const chosen = passes ?? askedPasses(spec, sharing.devices);
  const batches = batchesOfAnEpoch(dataset, resolution, hyperparameters.batch_size, image.bucketing ?? true);
  const { steps_per_epoch, total_steps } = countSteps(batches, 1, hyperparameters.epochs, max_steps, run.grad_accum);
  const train_text_encoder = kind.text_encoder && (image.train_text_encoder ?? false);
  const instance_prompt = instancePrompt(spec, dataset);
  return {
    modality: 'image',
    model_kind: model.kind,
    steps_per_epoch,
    total_steps,
    total_epochs: hyperparameters.epochs ?? Math.ceil(total_steps / steps_per_epoch),
    ...chosen,
    ...sharing,
    warmup_steps: Math.min(run.warmup_steps ?? 0, total_steps),
    // As diffusers' scripts train: a curve that falls wants a run whose length is right.
    lr_schedule: 'constant',
    weight_decay: DIFFUSERS.weight_decay,
    max_grad_norm: DIFFUSERS.max_grad_norm,
    optimizer: image.optimizer ?? 'adamw',
    logging_steps: loggingSteps(total_steps),
    resolution,
    bucketing: image.bucketing ?? true,
    center_crop: image.center_crop ?? true,
    random_flip: image.random_flip ?? false,
    caption_dropout: image.caption_dropout ?? 0,
    train_text_encoder,
    text_encoder_learning_rate: train_text_encoder
      ? (image.text_encoder_learning_rate ?? DIFFUSERS.text_encoder_learning_rate)
      : null,
    min_snr_gamma:
      kind.min_snr_gamma === null || image.min_snr_gamma === null ? null : (image.min_snr_gamma ?? kind.min_snr_gamma),
    noise_offset: kind.text_encoder ? (image.noise_offset ?? 0) : 0,
    ema_decay: image.ema_decay ?? null,
    cache_latents: image.cache_latents ?? true,
    cache_text_embeddings: !train_text_encoder && (image.cache_text_embeddings ?? true),
    checkpoint_interval: run.checkpoint_interval ?? checkpointInterval(total_steps),
    checkpoints_kept: 2,
    prior: priorOf(spec, dataset, total_steps),
    instance_prompt,
    sample_prompts: image.sample_prompts ?? samplePrompts(instance_prompt, trigger_words, captions),
    sample_seed: image.sample_seed ?? spec.seed,
    sample_steps: image.sample_steps ?? kind.sample_steps,
    sample_interval: image.sample_interval ?? Math.max(1, Math.ceil(total_steps / SAMPLE_ROUNDS)),
  };
}

/** A batch holds images of one bucket: Σ ceil(samples / batch) over the buckets, or all in one where nobody counted them. */
function batchesOfAnEpoch(
  { samples, buckets }: ImageDatasetFacts,
  resolution: number,
  batch: number,
  bucketing: boolean,
): number {
  const counted = bucketing ? (buckets[resolution] ?? []) : [];
  const each = counted.length > 0 ? counted : [samples];
  return each.reduce((sum, one) => sum + Math.ceil(one / batch), 0);
}

/**
 * What stands in place of the captions: DreamBooth's one prompt, made of the class prompt with the instance token before its noun
 * ("a photo of a dog" → "a photo of sks dog"), or the trigger words of images without any caption.
 */
function instancePrompt(
  { method, image = {}, trigger_words }: ImageSpec,
  { captioned, class_prompt }: ImageDatasetFacts,
): string | null {
  if (image.instance_prompt !== undefined) return image.instance_prompt;
  if (method !== 'dreambooth') return captioned === 0 ? promptOf(trigger_words) || null : null;
  const token = trigger_words[0] ?? INSTANCE_TOKEN;
  if (class_prompt === null) return `a photo of ${token}`;
  const with_noun = class_prompt.replace(/\b(of)\s+(?:an?\s+|the\s+)?/i, `$1 ${token.replaceAll('$', '$$$$')} `);
  return with_noun === class_prompt ? `${token} ${class_prompt.replace(/^(?:an?|the)\s+/i, '')}` : with_noun;
}

/** Never more class images than the run sees. */
function priorOf(
  { method, image = {}, hyperparameters, run }: ImageSpec,
  { class_prompt, class_images }: ImageDatasetFacts,
  total_steps: number,
): ImagePlan['prior'] {
  if (method !== 'dreambooth' || class_prompt === null) return null;
  const seen = total_steps * hyperparameters.batch_size * run.grad_accum;
  const wanted = class_images > 0 ? class_images : Math.min(DIFFUSERS.class_images, seen);
  return { class_prompt, class_images: image.class_images ?? wanted, weight: image.prior_weight ?? DIFFUSERS.prior_weight };
}

function samplePrompts(instance_prompt: string | null, trigger_words: readonly string[], captions: readonly string[]): string[] {
  if (instance_prompt !== null) return [instance_prompt];
  const own = [...new Set(captions.map((caption) => caption.trim()))]
    .filter((caption) => caption !== '')
    .slice(0, SAMPLE_PROMPTS);
  if (own.length > 0) return own;
  return trigger_words.length > 0 ? [promptOf(trigger_words)] : [];
}
