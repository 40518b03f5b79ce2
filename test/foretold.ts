/** A run as it was foretold and as it came: for tests of what is learnt. */
import type { MeasuredRun } from '#/domain/foresight/learning/measured-run.ts';
import { FORMULAS, featureKey, type RunFeatures, type StoredForecast } from '#/domain/foresight/learning/observed-run.ts';
import type { TestDatabase } from './database.ts';
import { addRow } from './factories.ts';

/** Features of a small LoRA. */
export function someFeatures(over: Partial<RunFeatures> = {}): RunFeatures {
  return {
    method: 'lora',
    quantization: 'none',
    family: 'llama',
    parameters: 1_235_814_400,
    rank: 16,
    targets: 'all-linear',
    adapter_dtype: 'fp32',
    tokens_worst: 4096,
    tokens_mean: 2100,
    micro_batch: 4,
    grad_accum: 2,
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
    ...over,
  };
}

/** What the formulas alone foretell of it: 8 GB on the device, half a second a step. */
export function someForecast(over: Partial<StoredForecast> = {}): StoredForecast {
  const unlearnt = { runs: 0, near: 0, same: false };
  return {
    formulas: FORMULAS,
    gpu: 'L4',
    features: someFeatures(),
    allocator_bytes: 7_200_000_000,
    device_bytes: { figure: 8e9, low: 7e9, high: 9.6e9, formula: 8e9, ...unlearnt },
    seconds_per_step: { figure: 0.5, low: 0.3, high: 0.9, formula: 0.5, ...unlearnt },
    hours: { figure: 0.25, low: 0.16, high: 0.42 },
    cost: { figure: 0.2, low: 0.13, high: 0.34 },
    ...over,
  };
}

/** What a trainer says of itself on an L4. */
export function someHello(over: Record<string, unknown> = {}) {
  return {
    versions: { torch: '2.13.0', transformers: '5.23.0', peft: '0.21.2', trainer: '0.1.0' },
    device: 'cuda',
    gpus: [{ name: 'NVIDIA L4', memory_mb: 23_034 }],
    ...over,
  };
}

/** What its first steps measured there. */
export function someProbe(over: Record<string, unknown> = {}) {
  return {
    longest_pass_tokens: 4096,
    peak_allocated_mb: 6000,
    peak_reserved_mb: 6500,
    device_memory_mb: 7400,
    expected_seconds_per_step: 0.55,
    ...over,
  };
}

export function someMeasured(over: Partial<MeasuredRun> = {}): MeasuredRun {
  return {
    gpu: 'L4',
    stack_version: 'torch 2.13',
    allocated_bytes: 6e9,
    reserved_bytes: 6.5e9,
    device_bytes: 7.4e9,
    at_least_bytes: null,
    seconds_per_step: 0.55,
    hours: 0.3,
    cost: 0.24,
    ...over,
  };
}

/** Keeps a finished run of somebody's job, as the worker does, and answers its id: the job's own. */
export async function addObservation(
  db: TestDatabase,
  user_id: string,
  job_id: string,
  row: Record<string, unknown> = {},
): Promise<string> {
  await addRow(db, 'lowrank.run_observations', {
    id: job_id,
    user_id,
    outcome: 'completed',
    gpu: 'L4',
    stack_version: 'torch 2.13',
    method: 'lora',
    formulas: FORMULAS,
    feature_key: featureKey(someFeatures()),
    forecast: someForecast(),
    measured: someMeasured(),
    memory_residual: Math.log(7.4 / 8),
    time_residual: Math.log(1.1),
    ...row,
  });
  return job_id;
}
