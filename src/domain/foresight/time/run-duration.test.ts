import { describe, expect, test } from 'vitest';
import { findModel } from '../models/find-model.ts';
import type { ModelShape } from '../models/model-shape.ts';
import { shapeOf } from '../models/shape-of-config.ts';
import { OUR_SWITCHES, type RunShape } from '../run-shape.ts';
import { DURATION_CONSTANTS, runDuration } from './run-duration.ts';

function modelOf(name: string): ModelShape {
  const found = findModel(name);
  const read = shapeOf(found.ok ? found.model.config : {});
  if (!read.ok) throw new Error(read.reason);
  return read.shape;
}

const LLAMA_8B = modelOf('meta-llama/Meta-Llama-3-8B');
const RUN: RunShape = {
  method: 'lora',
  quantization: 'none',
  adapter: { rank: 16, targets: 'all-linear', dtype: 'fp32', dropout: 0 },
  seq_len: 2048,
  micro_batch: 2,
  grad_accum: 2,
  trained_share: 1,
  gradient_checkpointing: false,
  optimizer: 'adamw',
  attention: 'sdpa',
  loss: 'standard',
  precision: 'bf16',
  weights_dtype: 'bf16',
  packing: false,
  compile: false,
  gpus: 1,
  strategy: 'none',
  switches: OUR_SWITCHES,
};
const PLAN = { total_steps: 100, eval_rows: 64, eval_interval: 10, checkpoint_interval: 50 };
const lasts = (run: Partial<RunShape> = {}, plan: Partial<typeof PLAN> = {}, tokens: number | null = 1_000_000) =>
  runDuration(LLAMA_8B, { ...RUN, ...run }, { ...PLAN, ...plan }, tokens, 2);

describe('a run', () => {
  test('trains for as long as its steps take', () => {
    expect(lasts().training_s).toBe(200);
    expect(lasts({}, { total_steps: 1 }).training_s).toBe(2);
  });

  test('starts later the larger its model is, the more rows there are to tokenize, and where weights are quantized', () => {
    const { process_s, disk_bytes_per_s, tokenized_per_s, quantized_bytes_per_s } = DURATION_CONSTANTS;
    const file = 2 * 8_030_261_248;
    expect(lasts().startup_s).toBeCloseTo(process_s + file / disk_bytes_per_s + 1_000_000 / tokenized_per_s, 6);
    expect(lasts({}, {}, null).startup_s).toBeCloseTo(process_s + file / disk_bytes_per_s, 6);
    const more = lasts({ method: 'qlora', quantization: 'nf4' }).startup_s - lasts().startup_s;
    expect(more).toBeCloseTo(file / quantized_bytes_per_s, 6);
  });

  test('evaluates before its first step, at each interval and after its last, forward only', () => {
    // 64 rows are 16 steps of four, of which the forward pass is half where the base is frozen.
    expect(lasts().evaluation_s).toBeCloseTo(11 * 16 * 2 * (2 / 4), 6);
    expect(lasts({ gradient_checkpointing: true }).evaluation_s).toBeCloseTo(11 * 16 * 2 * (2 / 6), 6);
    expect(lasts({}, { eval_interval: 200 }).evaluation_s).toBeCloseTo(2 * 16 * 2 * (2 / 4), 6);
    expect(lasts({}, { eval_rows: 0 }).evaluation_s).toBe(0);
  });

  test('writes more where all is trained, and the more often it is asked to', () => {
    expect(lasts({ method: 'full', adapter: null }).checkpoints_s).toBeGreaterThan(20 * lasts().checkpoints_s);
    expect(lasts({ method: 'full', adapter: null }).saving_s).toBeGreaterThan(lasts().saving_s);
    expect(lasts({}, { checkpoint_interval: 10 }).checkpoints_s).toBeCloseTo(5 * lasts().checkpoints_s, 6);
  });
});
