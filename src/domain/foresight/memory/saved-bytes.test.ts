import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ModelShape } from '../models/model-shape.ts';
import { shapeOf } from '../models/shape-of-config.ts';
import { OUR_SWITCHES, type RunShape } from '../run-shape.ts';
import { playStep } from './activation-bytes.ts';
import { COUNTED_FAMILIES } from './memory-interval.ts';
import { steadyBytes } from './steady-bytes.ts';
import { peakOfStep } from './step-peak.ts';

/** What torch kept and held of tiny models: measured by trainer/tests/saved_bytes.py, which says how. */
interface Case {
  name: string;
  config: Record<string, unknown>;
  run: Pick<
    RunShape,
    'method' | 'quantization' | 'adapter' | 'gradient_checkpointing' | 'attention' | 'precision' | 'weights_dtype' | 'packing'
  > & { autocast: boolean; head_on_trained_only: boolean };
  measured: {
    frozen: number;
    trained: number;
    gradients: number;
    optimizer: number;
    blocks: number[];
    outside: number;
    peak: number;
  };
}

const LINES = readFileSync(new URL('../../../../trainer/tests/saved_bytes.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const CASES = LINES.map((line): Case => JSON.parse(line));
/** Rows, their length and trained tokens of saved_bytes.py. */
const [ROWS, LENGTH, TRAINED] = [2, 24, 17];

function modelOf({ config }: Case): ModelShape {
  const read = shapeOf(config);
  if (!read.ok) throw new Error(read.reason);
  return read.shape;
}

function runOf({ run: { autocast, head_on_trained_only, ...run } }: Case): RunShape {
  return {
    ...run,
    seq_len: LENGTH,
    micro_batch: ROWS,
    grad_accum: 1,
    trained_share: head_on_trained_only ? TRAINED / (ROWS * LENGTH) : 1,
    optimizer: 'adamw',
    loss: 'standard',
    compile: false,
    gpus: 1,
    strategy: 'none',
    switches: { ...OUR_SWITCHES, autocast, head_on_trained_only },
  };
}

const CPU = { kind: 'cpu' } as const;

describe.each(CASES)('$name', (one) => {
  const [model, run] = [modelOf(one), runOf(one)];
  const steady = steadyBytes(model, run);
  const step = playStep(model, run, CPU);

  it('counts weights, adapter, gradients and states as torch does, to the byte', () => {
    const { frozen, trained, gradients, optimizer } = one.measured;
    const full = run.method === 'full';
    expect(full ? { frozen: 0, trained: steady.weights } : { frozen: steady.weights, trained: steady.adapter }).toEqual({
      frozen,
      trained,
    });
    expect({ gradients: steady.gradients, optimizer: steady.optimizer }).toEqual({ gradients, optimizer });
  });

  it('knows what each block, and head and loss, keep for backward, to the byte', () => {
    const blocks = step.blocks.flatMap(({ count, kept, input }) =>
      new Array<number>(count).fill(run.gradient_checkpointing ? input : kept),
    );
    expect({ blocks, outside: step.head.kept }).toEqual({ blocks: one.measured.blocks, outside: one.measured.outside });
  });

  it('knows the fullest moment of a step', () => {
    const { activations, logits, gradients } = peakOfStep(model, run, steady, step);
    const share = (activations + logits + gradients) / one.measured.peak;
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1.22);
  });
});

it('names the families that were counted', () => {
  expect([...COUNTED_FAMILIES].sort()).toEqual([...new Set(CASES.map(({ config }) => String(config.model_type)))].sort());
});
