/** Between what the truth lies while no run has been measured, and what was taken for granted. */
import type { DeviceFacts } from '../devices/hardware.ts';
import type { ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';

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
  /** More above, as a multiple of what comes and goes within a step. */
  passing: number;
}

/** Whose run is asked about: one of our trainer, whose habits and rows are known, or one of somebody whose stack is not. */
export type Whose = 'ours' | 'anybodys';

/**
 * What the allocator of an unknown stack may hold beyond what a step needs: segments that cannot grow keep rows of all lengths (1.12
 * to 1.29 times all of it, with long tails 1.5: fsdp_qlora, XTuner, ms-swift) and logits of older libraries are 16 bytes instead of
 * 12 (transformers before `ForCausalLMLoss`). Set by hand so that nine of ten tuned rows of bench/foresight lie within, as asked.
 */
const UNKNOWN_STACK = 0.75;

const shards = ({ gpus, strategy }: RunShape) => gpus > 1 && strategy !== 'none' && strategy !== 'ddp';
const hasExperts = ({ blocks }: ModelShape) => blocks.some(({ mlp }) => mlp.experts !== null);

/** Widths in percent, set by hand to hold nine of ten tuned rows of bench/foresight whose batches and stack were known. */
export function boundsOf(model: ModelShape, run: RunShape, device: Pick<DeviceFacts, 'kind'>, whose: Whose): Bounds {
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
  const passing = whose === 'anybodys' && device.kind === 'gpu' && !run.packing ? UNKNOWN_STACK : 0;
  return { low: 1 - below / 100, high: 1 + above / 100, around: 0.4e9, passing };
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
