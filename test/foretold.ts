import { FORMULAS, type RunFeatures, type StoredForecast } from '#/domain/foresight/observed-run.ts';

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
