/** Seconds that several devices of one host wait for each other. */
import type { DeviceFacts } from '../devices/hardware.ts';
import type { ModelShape } from '../models/model-shape.ts';
import { countParameters } from '../models/parameter-counts.ts';
import type { RunShape } from '../run-shape.ts';
import { TIME_CONSTANTS as K } from './time-constants.ts';

/** Bytes of a weight as it lies in memory and crosses the link: NF4 of QLoRA, arXiv 2305.14314, section 3. */
const QUANTIZED_BYTES = { nf4: 0.5625, 'nf4-dq': 0.5159, int8: 1 } as const;
const BYTES = { bf16: 2, fp16: 2, fp32: 4 } as const;

export interface CommunicationSeconds {
  /** Of every micro-batch: weights that are gathered. */
  each_pass: number;
  /** Of every step: gradients that are summed up. */
  each_step: number;
}

/**
 * A ring sends (n − 1)/n of the bytes once for a gather or a scatter, twice for a sum (Rabenseifner; NCCL's `busbw`).
 * ZeRO-3 gathers the weights in every pass, FSDP once for the forward pass that checkpointing repeats and the backward pass that it
 * belongs to (torch/distributed/fsdp: `_pre_forward` and `_post_forward` do nothing in it); DDP and ZeRO-1 and -2 sum up gradients.
 */
export function communicationSeconds(
  model: ModelShape,
  run: RunShape,
  device: DeviceFacts,
  trainable: number,
  micro_s: number,
): CommunicationSeconds {
  if (run.gpus === 1 || run.strategy === 'none') return { each_pass: 0, each_step: 0 };
  const others = (run.gpus - 1) / run.gpus;
  const gradient = run.adapter === null ? BYTES[run.weights_dtype] : run.adapter.dtype === 'fp32' ? 4 : 2;
  const summed = sumSeconds(trainable * gradient, run.gpus, device);
  if (run.strategy !== 'fsdp' && run.strategy !== 'zero3') return { each_pass: 0, each_step: exposed(summed, micro_s) };
  const passes = run.gradient_checkpointing && run.strategy === 'zero3' ? 3 : 2;
  const gathered = (passes * others * weightBytes(model, run)) / device.link;
  return { each_pass: exposed(gathered, micro_s), each_step: exposed(summed / 2, micro_s) };
}

/** Seconds in which so many devices sum up as many bytes of each over a ring. */
export function sumSeconds(bytes: number, devices: number, { link }: Pick<DeviceFacts, 'link'>): number {
  return (2 * ((devices - 1) / devices) * bytes) / link;
}

/** What is longer than the arithmetic shows wholly, the rest in part. */
export function exposed(seconds: number, hidden_behind: number): number {
  return Math.max(seconds - hidden_behind, seconds * K.exposed);
}

function weightBytes(model: ModelShape, run: RunShape): number {
  const { total, linears } = countParameters(model);
  // FSDP's `param_dtype` and ZeRO-3's bf16 gather in the arithmetic's type: what is kept in fp32 crosses the link in 16 bits.
  const width = Math.min(BYTES[run.weights_dtype], BYTES[run.precision]);
  if (run.quantization === 'none') return total * width;
  return (total - linears) * width + linears * QUANTIZED_BYTES[run.quantization];
}
