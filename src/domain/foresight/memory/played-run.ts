/** A training as its tape sees it: what of the run decides which bytes a layer keeps. */
import type { DeviceFacts } from '../devices/hardware.ts';
import type { LinearShape, ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';
import type { Tape, Tensor } from './tape.ts';

export const WIDTHS = { fp32: 4, bf16: 2, fp16: 2 } as const;

/** Tables that all blocks read: cosines and sines of the positions. */
interface Shared {
  cos: Tensor | null;
  sin: Tensor | null;
  /** The pass that spread them, where each layer does. */
  layer: Tape | null;
}

export interface PlayedRun {
  tape: Tape;
  model: ModelShape;
  run: RunShape;
  on_cpu: boolean;
  rows: number;
  length: number;
  /** rows × length */
  tokens: number;
  /** Bytes that autocast computes in; null: everything stays as it is. */
  autocast: number | null;
  /** Bytes of a weight as it is stored, quantized ones aside. */
  weight_width: number;
  /** Bytes of the values that go from block to block. */
  stream_width: number;
  /** Every weight is trained. */
  full: boolean;
  shared: Shared;
}

/** One more pass over an empty tape, of a training or (`run.adapter` null and method not full) of a frozen model. */
export function playRun(tape: Tape, model: ModelShape, run: RunShape, device: Pick<DeviceFacts, 'kind'>): PlayedRun {
  const compute = WIDTHS[run.precision];
  const weight_width = frozenWidth(run);
  return {
    tape,
    model,
    run,
    on_cpu: device.kind === 'cpu',
    rows: run.micro_batch,
    length: run.seq_len,
    tokens: run.micro_batch * run.seq_len,
    autocast: run.precision !== 'fp32' && (run.switches.autocast || weight_width !== compute) ? compute : null,
    weight_width,
    stream_width: weight_width,
    full: run.method === 'full',
    shared: { cos: null, sin: null, layer: null },
  };
}

/** Bytes of a weight that is not quantized. */
export function frozenWidth({ method, weights_dtype, quantization, switches }: RunShape): number {
  return switches.upcasts_frozen && method !== 'full' && quantization !== 'none' ? 4 : WIDTHS[weights_dtype];
}

/** Rank of the adapter on a linear; 0: none. Those that PEFT reaches by several names have as many times the rank. */
export function adapterRank({ adapter }: RunShape, linear: LinearShape): number {
  if (adapter === null) return 0;
  const { targets, rank } = adapter;
  const names = linear.reached_by ?? [linear.name];
  const meant =
    typeof targets === 'string'
      ? targets === 'all-linear' || linear.part === 'attention'
      : names.every((name) => targets.includes(name));
  return meant ? rank * names.length : 0;
}

/** Bytes of an adapter's weight. */
export const adapterWidth = ({ adapter }: RunShape): number => (adapter?.dtype === 'bf16' ? 2 : 4);
