/** Between what the truth lies while no run has been measured, and what was taken for granted. */
import type { DeviceFacts } from './hardware.ts';
import type { ModelShape } from './model-shape.ts';
import type { RunShape } from './run-shape.ts';

/** Families of which torch's own count is held to the formulas, to the byte: trainer/tests/saved_bytes.py. */
export const COUNTED_FAMILIES: ReadonlySet<string> = new Set([
  'llama',
  'mistral',
  'qwen2',
  'qwen3',
  'gemma',
  'gemma2',
  'gemma3_text',
  'phi',
  'phi3',
  'olmo',
  'olmo2',
  'granite',
  'stablelm',
  'starcoder2',
  'cohere',
  'cohere2',
  'smollm3',
  'glm',
  'glm4',
  'nemotron',
  'helium',
  'seed_oss',
  'gpt_neox',
  'opt',
  'falcon',
  'mixtral',
  'qwen2_moe',
  'qwen3_moe',
  'olmoe',
]);

/** 5th and 95th percentile as multiples of the foretold bytes, and bytes more to either side. */
export interface Bounds {
  low: number;
  high: number;
  around: number;
}

const shards = ({ gpus, strategy }: RunShape) => gpus > 1 && strategy !== 'none' && strategy !== 'ddp';
const hasExperts = ({ blocks }: ModelShape) => blocks.some(({ mlp }) => mlp.experts !== null);

/** Widths in percent, set by hand to hold nine of ten tuned rows of bench/foresight whose batches were known. */
export function boundsOf(model: ModelShape, run: RunShape, device: Pick<DeviceFacts, 'kind'>): Bounds {
  let [below, above] = [8, 12];
  const widen = (if_so: boolean, less: number, more: number) => {
    if (!if_so) return;
    below += less;
    above += more;
  };
  // The longest batch is known, how the allocator came to it is not.
  widen(!run.packing, 2, 10);
  widen(run.quantization !== 'none', 6, 6);
  widen(run.gpus > 1 && run.strategy === 'ddp', 2, 10);
  widen(shards(run), 6, 14);
  widen(hasExperts(model), 8, 12);
  widen(run.compile || run.switches.fused_kernels || run.loss === 'chunked', 4, 6);
  widen(!COUNTED_FAMILIES.has(model.family), 8, 8);
  widen(device.kind === 'cpu', 10, 10);
  return { low: 1 - below / 100, high: 1 + above / 100, around: 0.4e9 };
}

/** Sentences, of what a reader could not guess. */
export function memoryAssumptions(model: ModelShape, run: RunShape, device: Pick<DeviceFacts, 'kind'>): string[] {
  const found: string[] = [];
  if (!COUNTED_FAMILIES.has(model.family))
    found.push(`What ${model.family} keeps for backward was never counted: it is taken to run as the families that were.`);
  if (device.kind === 'gpu' && !run.packing)
    found.push('Lengths vary little: with a few rows much longer than the rest the allocator holds more than is foretold.');
  if (run.packing && run.attention === 'sdpa')
    found.push('Packed rows are kept apart by a mask over the whole pack, of which each layer keeps a copy.');
  if (run.loss === 'chunked') found.push('Logits are taken 256 tokens at a time and again in backward.');
  if (shards(run)) found.push('Buffers of the collectives are as large as the libraries make them by default.');
  return found;
}
