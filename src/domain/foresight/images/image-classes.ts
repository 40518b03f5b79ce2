/**
 * Image models by table: what each class weighs, what a sample of a batch needs beside that, and what its steps took. An entry is
 * seeded with the rows of bench/foresight/rows/images.jsonl that it names (SimpleTuner's benchmark, documentation/SEGMENTED_CHECKPOINTING.md,
 * on H100 and L40S; PEFT's image benchmark on L40S); what no row says is scaled from a class that it names.
 */
import { GB, MB } from '../../bytes.ts';

/** Bytes that one sample needs beside the weights, with gradient checkpointing and with everything kept. */
interface SampleBytes {
  checkpointed: number;
  kept: number;
}

export interface ImageClass {
  name: string;
  /** Parts of a Hub name or path by which a model is told. */
  told_by: readonly RegExp[];
  /** Parameters of what is trained (UNet, transformer), of the text encoders, of the VAE. Model cards, where no row is named. */
  denoiser: number;
  encoders: number;
  vae: number;
  /** Parameters of a LoRA on its attention, a rank. */
  lora_a_rank: number;
  /** Tokens of text that go through it with the image's; an image has (side / 16)² of them. */
  text_tokens: number;
  /** What a sample needs whatever its size, in tokens' worth of bytes, where that is not the text's. */
  constant_tokens?: number;
  /** Of a sample at `seed_side`. */
  seed_side: number;
  sample: SampleBytes;
  /** Seconds of a step of `seed_batch` samples at `seed_side`, on an H100 (null: no row) and an L40S. */
  seed_batch: number;
  seconds: { checkpointed: [h100: number | null, l40s: number]; kept: [h100: number | null, l40s: number] };
  /** Operations of a step against those of the rows, where it is scaled from another. */
  operations?: number;
  /** The rows, or the class that it is scaled from. */
  source: string;
  /** Share that its figures may be off: wider where they are scaled. */
  spread: { memory: number; time: number };
}

const BILLION = 1e9;
const CLIP_L = 0.123 * BILLION;
const CLIP_G = 0.695 * BILLION;
const T5_XXL = 4.76 * BILLION;
const SD_VAE = 84e6;
const MEASURED = { memory: 0.12, time: 0.5 };
const SCALED = { memory: 0.25, time: 1 };

export const IMAGE_CLASSES: readonly ImageClass[] = [
  {
    name: 'SD 1.5',
    told_by: [/stable-diffusion-v1-[45]/, /stable-diffusion-1-5/, /dreamshaper-[78]$/, /\bsd-?1[.-]?[45x]\b/],
    denoiser: 0.86 * BILLION,
    encoders: CLIP_L,
    vae: SD_VAE,
    lora_a_rank: 0.2e6,
    text_tokens: 0,
    seed_side: 512,
    seed_batch: 1,
    // 3.08 and 2.13 GB less 1.72 of weights and 0.05 of adapter.
    sample: { kept: 1.31 * GB, checkpointed: 0.355 * GB },
    seconds: { kept: [0.181, 0.176], checkpointed: [0.305, 0.292] },
    source: 'simpletuner-sd1-512',
    spread: MEASURED,
  },
  {
    name: 'SDXL',
    told_by: [/stable-diffusion-xl/, /\bsdxl\b/, /pony-diffusion/, /illustrious/],
    denoiser: 2.567 * BILLION,
    encoders: CLIP_L + CLIP_G,
    vae: SD_VAE,
    lora_a_rank: 1.45e6,
    text_tokens: 0,
    seed_side: 1024,
    seed_batch: 1,
    // 13.99 and 7.01 GB less 5.13 of weights; its LoKr is too small to count.
    sample: { kept: 8.86 * GB, checkpointed: 1.88 * GB },
    seconds: { kept: [0.606, 0.585], checkpointed: [1.08, 1.029] },
    source: 'simpletuner-sdxl-1024',
    spread: MEASURED,
  },
  {
    name: 'SD3 medium',
    told_by: [/stable-diffusion-3-medium/, /stable-diffusion-3\.5-medium/, /\bsd-?3(?:[.-]?5)?-medium\b/],
    denoiser: 2.03 * BILLION,
    encoders: CLIP_L + CLIP_G + T5_XXL,
    vae: SD_VAE,
    lora_a_rank: 0.59e6,
    text_tokens: 333,
    seed_side: 1024,
    seed_batch: 3,
    // 37.14 and 8.24 GB less 4.06 of weights and 1.21 of a rank of 128, of three samples.
    sample: { kept: 10.6 * GB, checkpointed: 0.99 * GB },
    seconds: { kept: [0.529, 1.189], checkpointed: [0.721, 1.607] },
    source: 'simpletuner-sd3-1024',
    spread: MEASURED,
  },
  {
    name: 'SD3.5 large',
    told_by: [/stable-diffusion-3\.5-large/, /\bsd-?3[.-]?5-large\b/],
    denoiser: 8.1 * BILLION,
    encoders: CLIP_L + CLIP_G + T5_XXL,
    vae: SD_VAE,
    lora_a_rank: 1.48e6,
    text_tokens: 333,
    seed_side: 1024,
    seed_batch: 3,
    // 38 blocks of 2,432 against 24 of 1,536: 2.5 times the activations, 4 times the operations.
    sample: { kept: 26.5 * GB, checkpointed: 2.5 * GB },
    seconds: { kept: [2.1, 4.75], checkpointed: [2.9, 6.4] },
    source: 'scaled from SD3 medium',
    spread: SCALED,
  },
  {
    name: 'FLUX.1',
    told_by: [/flux[.-]?1/, /\bflux-(?:dev|schnell)\b/],
    denoiser: 11.9 * BILLION,
    encoders: CLIP_L + T5_XXL,
    vae: SD_VAE,
    lora_a_rank: 1.63e6,
    text_tokens: 512,
    seed_side: 1024,
    seed_batch: 1,
    // Chroma is FLUX.1 without its 3 billion weights of modulation: 28.1 and 19.0 GB less 17.8 of weights and 0.42 of adapter.
    sample: { kept: 9.9 * GB, checkpointed: 0.75 * GB },
    seconds: { kept: [0.454, 0.559], checkpointed: [1.276, 1.43] },
    source: 'simpletuner-chroma-1024',
    spread: { memory: 0.15, time: 0.8 },
  },
  {
    name: 'FLUX.2 klein',
    told_by: [/flux[.-]?2-klein/],
    denoiser: 3.8755 * BILLION,
    encoders: 4 * BILLION,
    vae: SD_VAE,
    lora_a_rank: 1.32e6,
    text_tokens: 512,
    seed_side: 512,
    seed_batch: 2,
    // 10.71 GB reserved less 7.75 of weights, 0.68 of adapter and 0.5 of slack, of two samples; kept as FLUX.1's are.
    sample: { kept: 7 * GB, checkpointed: 0.89 * GB },
    seconds: { kept: [null, 0.5], checkpointed: [null, 0.736] },
    source: 'peft-image-flux2-klein-lora-r32',
    spread: { memory: 0.15, time: 0.5 },
  },
  {
    name: 'FLUX.2 dev',
    told_by: [/flux[.-]?2-dev/],
    denoiser: 32 * BILLION,
    encoders: 24 * BILLION,
    vae: SD_VAE,
    lora_a_rank: 5.2e6,
    text_tokens: 512,
    seed_side: 512,
    seed_batch: 2,
    // 56 blocks of 6,144 against 25 of 3,072: 4.5 times the activations, 8 times the operations.
    sample: { kept: 31 * GB, checkpointed: 4 * GB },
    seconds: { kept: [null, 4], checkpointed: [null, 6] },
    source: 'scaled from FLUX.2 klein',
    spread: SCALED,
  },
  {
    name: 'Qwen-Image',
    told_by: [/qwen-image/],
    denoiser: 20.43 * BILLION,
    encoders: 8.3 * BILLION,
    vae: 127e6,
    lora_a_rank: 2.95e6,
    text_tokens: 256,
    seed_side: 1024,
    seed_batch: 1,
    // 44.07 GB less 40.86 of weights and 0.28 of adapter; kept: FLUX.1's by blocks, 60 double ones against 19 and 38 single.
    sample: { kept: 17 * GB, checkpointed: 2.92 * GB },
    seconds: { kept: [0.85, 2.4], checkpointed: [1.202, 3.377] },
    source: 'simpletuner-qwen-image-1024',
    spread: { memory: 0.15, time: 0.6 },
  },
  {
    name: 'Z-Image',
    told_by: [/z-image/],
    denoiser: 6.155 * BILLION,
    encoders: 4 * BILLION,
    vae: SD_VAE,
    lora_a_rank: 1.04e6,
    text_tokens: 256,
    seed_side: 1024,
    seed_batch: 1,
    // 22.82 and 13.82 GB less 12.31 of weights and 0.8 of a rank of 64 under Lion.
    sample: { kept: 9.7 * GB, checkpointed: 0.71 * GB },
    seconds: { kept: [0.243, 0.316], checkpointed: [0.479, 0.493] },
    source: 'simpletuner-z-image-1024',
    spread: MEASURED,
  },
  {
    name: 'Krea 2',
    told_by: [/krea-?2/],
    // Its line through batches of 1 and 4 meets none at 28.3 GiB: the weights, with the adapter of rank 64 and the context.
    denoiser: 14.2 * BILLION,
    encoders: 4 * BILLION,
    vae: 127e6,
    lora_a_rank: 1.2e6,
    text_tokens: 512,
    // So that one line goes through both sizes: 2.74 GiB a sample at 512, 5.02 at 1024.
    constant_tokens: 2670,
    seed_side: 1024,
    seed_batch: 4,
    sample: { kept: 24.5 * GB, checkpointed: 5.39 * GB },
    // 0.272 and 0.661 s at 512 px kept, 3.85 at 1024 px: linear in tokens and samples, next to nothing of them starts of kernels.
    seconds: { kept: [2.63, 7.3], checkpointed: [3.85, 10.8] },
    source: 'simpletuner-krea2-grid-bf16 (batches of 1 and 4) and -512-nockpt',
    spread: MEASURED,
  },
];

/** What the autoencoder needs beside its weights for each megapixel that it decodes: SDXL's at 1024 px in 16 bits [general knowledge]. */
export const DECODE_BYTES_A_MEGAPIXEL = 3500 * MB;

/** The class of a model by its name on the Hub or its file's; null: none that is known. */
export function findImageClass(name: string): ImageClass | null {
  const key = name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
  return (
    IMAGE_CLASSES.find(
      ({ name: own, told_by }) => own.toLowerCase().replaceAll(' ', '-') === key || told_by.some((sign) => sign.test(key)),
    ) ?? null
  );
}
