/** How the trainer that comes along runs what a plan asks of it: the habits that no plan names. */
import type { DeviceFacts } from './devices/hardware.ts';
import { type LibrarySwitches, OUR_SWITCHES, type RunShape } from './run-shape.ts';

/** trainer/lora_trainer: SDPA, fp32 cross-entropy of the trained tokens, AdamW, nothing compiled. */
export const OUR_HABITS = {
  targets: 'all-linear',
  optimizer: 'adamw',
  attention: 'sdpa',
  loss: 'standard',
  compile: false,
} as const satisfies Partial<RunShape> & { targets: string };

type Precision = RunShape['precision'];

/** In what the trainer computes on a device: what was asked for where that has it. The base is loaded in the same. */
export function ourPrecision(device: DeviceFacts, asked: Precision | null): Precision {
  if (device.kind === 'cpu' || asked === 'fp32') return 'fp32';
  if (asked === 'fp16') return 'fp16';
  return device.bf16_flops === null ? 'fp16' : 'bf16';
}

/** On a processor rows are padded to the longest of their batch and no further. */
export function ourSwitches(device: DeviceFacts): LibrarySwitches {
  return device.kind === 'gpu' ? OUR_SWITCHES : { ...OUR_SWITCHES, pads_to: 1 };
}
