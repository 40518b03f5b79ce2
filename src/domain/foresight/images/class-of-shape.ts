/** The class that a registered image model is planned as: its kind's, with its own parameters. */
import { findImageClass, type ImageClass } from './image-classes.ts';
import type { ImageShape } from './image-shape.ts';

const CLASS_OF_KIND: Readonly<Record<string, string>> = { 'stable-diffusion': 'SD 1.5', sdxl: 'SDXL', flux: 'FLUX.1' };

/** Within this share of its class's parameters a model is one of it: checkpoints of a family differ by heads and norms alone. */
const SAME_WITHIN = 0.1;
/** Of a model of another size: nothing was measured of it. */
const SCALED_SPREAD = { memory: 0.4, time: 1.5 };

function classNamed(name: string): ImageClass {
  const found = findImageClass(name);
  if (found === null) throw new Error(`the table of image models has no ${name}`);
  return found;
}

/**
 * Null: no kind of the table. A model of another size has its class's activations by the root of their parameters, as between the table's
 * SD 1.5 and SDXL at one size (3.0 times the parameters, 1.7 times the bytes kept), and operations by the parameters themselves.
 */
export function classOfShape({ kind, denoiser, encoders, vae }: ImageShape): ImageClass | null {
  const name = CLASS_OF_KIND[kind];
  if (name === undefined) return null;
  const one = classNamed(name);
  const own = { ...one, denoiser, encoders, vae };
  const ratio = denoiser / one.denoiser;
  if (Math.abs(ratio - 1) < SAME_WITHIN) return own;
  const width = Math.sqrt(ratio);
  return {
    ...own,
    lora_a_rank: one.lora_a_rank * width,
    sample: { kept: one.sample.kept * width, checkpointed: one.sample.checkpointed * width },
    operations: ratio,
    source: `scaled from ${one.name}`,
    spread: SCALED_SPREAD,
  };
}

/** What a pipeline of the Hub is by its name, before it is fetched; null: no name that is known, or none of a kind that is trained. */
export function guessedShape(name: string): ImageShape | null {
  const found = findImageClass(name);
  const kind = Object.entries(CLASS_OF_KIND).find(([, of]) => of === found?.name)?.[0];
  if (found === null || kind === undefined) return null;
  const { denoiser, encoders, vae } = found;
  return { kind, denoiser, encoders, vae, side: kind === 'stable-diffusion' ? 512 : 1024 };
}
