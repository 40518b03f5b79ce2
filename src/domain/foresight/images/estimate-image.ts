/** Memory and time of an image model's training, by table and a line over what a batch has. */

import type { TrainerStrategy } from '../../trainer-config-parts.ts';
import type { DeviceFacts } from '../devices/hardware.ts';
import { findDevice } from '../devices/known-devices.ts';
import { MEMORY_PHASES, type MemoryComponents, type MemoryEstimate, type MemoryPhase, type TimeEstimate } from '../forecast.ts';
import { COMMUNICATOR, SHARDED_SLACK } from '../memory/overheads.ts';
import { exposed, sumSeconds } from '../time/time-communication.ts';
import { DECODE_BYTES_A_MEGAPIXEL, findImageClass, type ImageClass } from './image-classes.ts';

export interface ImageQuestion {
  /** Name on the Hub, or of the class. */
  model: string;
  method: 'lora' | 'dora' | 'full';
  /** Of the adapter; not asked where all is trained. */
  rank: number;
  /** Pixels of a side. */
  resolution: number;
  /** Samples in one forward pass, class images of prior preservation aside. */
  batch: number;
  grad_accum: number;
  /** Of one host; batch and passes are those of one. */
  devices: number;
  /** `fsdp`: each holds a part of the denoiser. */
  strategy: TrainerStrategy;
  gradient_checkpointing: boolean;
  /** Of what the denoiser lies in; diffusers' full fine-tunes keep fp32, and so does a processor. */
  weights_dtype: 'bf16' | 'fp32';
  /** Text embeddings are made before, and the encoders gone by the first step. */
  cached_embeddings: boolean;
  cached_latents: boolean;
  /** DreamBooth with class images: every batch has as many of those again. */
  prior_preservation: boolean;
  /** A second copy of what is trained, in fp32. */
  ema: boolean;
  /** Images are sampled and decoded on the way. */
  validation: boolean;
}

export interface ImageEstimate {
  class: string;
  memory: MemoryEstimate;
  time: TimeEstimate;
}

const GIB = 2 ** 30;
/** CUDA context with a step's kernels (stas00/ml-engineering, training/performance/README.md), and by what that may differ. */
const CONTEXT = 0.6 * GIB;
const CONTEXT_SPREAD = 0.4 * GIB;
/** What the allocator holds beyond the tensors: as of language models with lengths that repeat. */
const WORKSPACE = 32 * 2 ** 20;
const PASSING_SLACK = 0.03;
/** Parameters of a model card against those that are loaded. */
const HELD_SPREAD = 0.02;
/** Weights that are updated at once hold another copy: FLUX.2-klein goes from 31.5 GB to 39.87 (PEFT's image benchmark). */
const FOREACH_COPY = 1;
/** DoRA makes each weight again for its norm: 1.79 GB of 3.876e9 weights, and 1.93 times LoRA's time (the same, rank 64). */
const DORA = { bytes: 1.79e9 / 3.8755e9, time: 1.93 };
/** Full fine-tuning against LoRA on every linear: 0.824 s and 0.736 (the same). */
const FULL_TIME = 1.12;
/** Where both devices take as long, the share of the slower one's step that it computes; between none and all of it. */
const LAUNCH_BOUND = 0.3;
/**
 * FSDP: what is gathered at a time of a denoiser, the two largest blocks and what stands outside of them, by the shapes in diffusers:
 * 0.75 of FLUX.1's 11.9e9 weights, 0.2 of SDXL's 2.57e9, 0.14 of SD 1.5's 0.86e9.
 */
const GATHERED = 0.1;
const REFERENCE = { h100: referenceOps('H100'), l40s: referenceOps('L40S') };

function referenceOps(name: string): number {
  const device = findDevice(name);
  if (device === null) throw new Error(`the table of devices has no ${name}`);
  return opsOf(device);
}

/** Foretells the training of an image model; null: its class is not known. */
export function estimateImageTraining(question: ImageQuestion, device: DeviceFacts): ImageEstimate | null {
  const found = findImageClass(question.model);
  return found === null ? null : estimateImageClass(found, question, device);
}

/** The same of a class that is known. */
export function estimateImageClass(one: ImageClass, question: ImageQuestion, device: DeviceFacts): ImageEstimate {
  return { class: one.name, memory: memoryOf(one, question, device), time: timeOf(one, question, device) };
}

/** Samples that go through the denoiser at once. */
const samples = ({ batch, prior_preservation }: ImageQuestion): number => batch * (prior_preservation ? 2 : 1);

const shards = ({ strategy, devices }: ImageQuestion): boolean => strategy === 'fsdp' && devices > 1;

/** Tokens of an image and its text; for convolutions pixels stand for tokens. */
const tokensAt = ({ text_tokens }: ImageClass, side: number): number => (side / 16) ** 2 + text_tokens;

/** Bytes of one sample: a line over its pixels, through what the class's rows had. */
function sampleBytes(one: ImageClass, { resolution, gradient_checkpointing, weights_dtype }: ImageQuestion): number {
  const constant = (one.constant_tokens ?? one.text_tokens) - one.text_tokens;
  const share = (tokensAt(one, resolution) + constant) / (tokensAt(one, one.seed_side) + constant);
  return one.sample[gradient_checkpointing ? 'checkpointed' : 'kept'] * share * (weights_dtype === 'fp32' ? 2 : 1);
}

function memoryOf(one: ImageClass, q: ImageQuestion, device: DeviceFacts): MemoryEstimate {
  const held = heldBytes(one, q);
  const width = q.weights_dtype === 'fp32' ? 4 : 2;
  const steady = held.weights + held.adapter + 3 * held.trained;
  const dora = q.method === 'dora' ? one.denoiser * DORA.bytes : 0;
  const decoded = (width / 2) * DECODE_BYTES_A_MEGAPIXEL * (q.resolution ** 2 / 1e6) + width * one.vae;
  /** Gradients lie side by side once more while they are summed up. */
  const exchanged = q.devices > 1 ? held.trained : 0;
  const gathered = shards(q) ? GATHERED * one.denoiser * width : 0;
  /** What each moment has beside what is held all the time; gradients are gone between steps. */
  const passing: Record<MemoryPhase, number> = {
    load: Math.max(width * (one.encoders + one.vae), held.weights) - steady,
    train_step: samples(q) * sampleBytes(one, q) + dora + gathered,
    optimizer_step: (q.method === 'full' ? FOREACH_COPY * held.trained : held.trained) + exchanged,
    evaluate: (q.validation ? decoded + gathered : 0) - held.trained,
    save: -held.trained,
  };
  const communicator = device.kind === 'gpu' && q.devices > 1 ? COMMUNICATOR : 0;
  const context = device.kind === 'gpu' ? CONTEXT + communicator : 0;
  const share = PASSING_SLACK + (shards(q) ? SHARDED_SLACK : 0);
  const slack = (phase: MemoryPhase) => WORKSPACE + share * Math.max(0, passing[phase]);
  const phases = Object.fromEntries(
    MEMORY_PHASES.map((phase) => [phase, steady + passing[phase] + slack(phase) + context]),
  ) as Record<MemoryPhase, number>;
  const fullest = MEMORY_PHASES.reduce((a, b) => (phases[b] > phases[a] ? b : a));
  const device_bytes = phases[fullest];
  // While it is loaded nothing but weights is there.
  const resting = passing[fullest] < 0;
  const components: MemoryComponents = {
    weights: resting ? steady + passing[fullest] : held.weights,
    adapter: resting ? 0 : held.adapter,
    gradients: resting ? 0 : held.trained,
    optimizer: resting ? 0 : 2 * held.trained,
    activations: resting ? 0 : passing[fullest],
    logits: 0,
    communication: 0,
    slack: slack(fullest),
    context,
  };
  // What is held is known but for a share; what comes and goes is the table's.
  const unsure = HELD_SPREAD * steady + one.spread.memory * Math.abs(passing[fullest]) + CONTEXT_SPREAD + communicator + gathered;
  return {
    components,
    allocator_bytes: device_bytes - context,
    device_bytes,
    fullest,
    phases,
    low_bytes: device_bytes - unsure,
    high_bytes: device_bytes + unsure,
    assumptions: [
      `Image models are planned by table: ${one.name}, ${one.source}.`,
      `It computes in ${q.weights_dtype === 'fp32' ? 32 : 16} bits, with fused attention.`,
      ...(q.validation ? ['The autoencoder decodes a sampled image whole.'] : []),
    ],
  };
}

/** What is there from the first step to the last. AdamW: a gradient and two moments for each trained number. */
function heldBytes(one: ImageClass, q: ImageQuestion) {
  const full = q.method === 'full';
  const width = q.weights_dtype === 'fp32' ? 4 : 2;
  const denoiser = (one.denoiser * width) / (shards(q) ? q.devices : 1);
  // Adapters stay in fp32 (PEFT's `autocast_adapter_dtype`).
  const adapter = full ? 0 : one.lora_a_rank * q.rank * 4;
  const ema = q.ema ? (full ? one.denoiser * 4 : adapter) : 0;
  const encoders = q.cached_embeddings ? 0 : width * one.encoders;
  const vae = q.cached_latents ? 0 : width * one.vae;
  return { weights: denoiser + encoders + vae + ema, adapter, trained: full ? denoiser : adapter };
}

/**
 * A step's seconds: what its host needs to start the kernels, and what the device computes. Two devices of the rows give both: a line
 * over seconds an operation. A class with rows of one device alone is all computed.
 */
function timeOf(one: ImageClass, q: ImageQuestion, device: DeviceFacts): TimeEstimate {
  const { started, computed } = splitSeconds(one.seconds[q.gradient_checkpointing ? 'checkpointed' : 'kept']);
  const work = (samples(q) * tokensAt(one, q.resolution)) / (one.seed_batch * tokensAt(one, one.seed_side));
  const method = q.method === 'dora' ? DORA.time : q.method === 'full' ? FULL_TIME : 1;
  const pass = method * (started + (computed * work * (one.operations ?? 1)) / opsOf(device));
  // Weights are gathered for the way there and for the way back.
  const width = q.weights_dtype === 'fp32' ? 4 : 2;
  const gathered = shards(q) ? sumSeconds(one.denoiser * width, q.devices, device) : 0;
  const passed = q.grad_accum * (pass + exposed(gathered, pass));
  // The trainer sums gradients up when all passes of a step are over: nothing hides it.
  const seconds = passed + sumSeconds(heldBytes(one, q).trained, q.devices, device);
  const spread = 1 + one.spread.time;
  return {
    seconds_per_step: seconds,
    tokens_per_second: (q.devices * q.grad_accum * q.batch * tokensAt(one, q.resolution)) / seconds,
    low_seconds: seconds / spread,
    high_seconds: seconds * spread,
    assumptions: [
      `Tokens of an image are those of its latent, (side / 16)², and of its text.`,
      ...(device.bf16_flops === null ? [`${device.name} has no bf16: counted as fp16.`] : []),
    ],
  };
}

/** Operations a second that a device reaches in what such models compute in. */
function opsOf(device: DeviceFacts): number {
  return (device.kind === 'cpu' ? device.fp32_flops : (device.bf16_flops ?? device.fp16_flops)) * device.efficiency;
}

function splitSeconds([h100, l40s]: ImageClass['seconds']['kept']): { started: number; computed: number } {
  if (h100 === null) return { started: 0, computed: l40s * REFERENCE.l40s };
  const steep = (l40s - h100) / (1 / REFERENCE.l40s - 1 / REFERENCE.h100);
  // Where the faster device gained nothing the host was the brake: the slower one computed at most as long as the step took.
  const computed = Math.max(steep, LAUNCH_BOUND * l40s * REFERENCE.l40s);
  return { started: Math.max(0, l40s - computed / REFERENCE.l40s), computed };
}
