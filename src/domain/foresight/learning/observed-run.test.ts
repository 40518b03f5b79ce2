import { describe, expect, it } from 'vitest';
import { someFeatures, someForecast } from '../../../../test/foretold.ts';
import { featureKey, forecastOf } from './observed-run.ts';

describe('the key of features', () => {
  it('is the same for equal features in whatever order, and sixteen hexadecimal digits', () => {
    const { family, ...rest } = someFeatures();
    expect(featureKey({ ...rest, family })).toBe(featureKey(someFeatures()));
    expect(featureKey(someFeatures())).toMatch(/^[0-9a-f]{16}$/);
  });
  it('is another one as soon as any feature is', () => {
    const changed = {
      method: 'dora',
      quantization: 'nf4',
      family: 'qwen3',
      parameters: 1,
      rank: null,
      targets: 'attention',
      adapter_dtype: 'bf16',
      tokens_worst: 1,
      tokens_mean: 1,
      micro_batch: 1,
      grad_accum: 1,
      gradient_checkpointing: true,
      optimizer: 'sgd',
      attention: 'eager',
      loss: 'fused',
      precision: 'fp32',
      weights_dtype: 'fp32',
      packing: true,
      compile: true,
      gpus: 2,
      strategy: 'ddp',
    } as const;
    const keys = Object.entries(changed).map(([name, value]) => featureKey({ ...someFeatures(), [name]: value }));
    expect(Object.keys(changed).sort()).toEqual(Object.keys(someFeatures()).sort());
    expect(new Set([featureKey(someFeatures()), ...keys]).size).toBe(1 + keys.length);
  });
});

describe('the forecast of a stored configuration', () => {
  it('is what was foretold', () => {
    expect(forecastOf({ forecast: someForecast() })).toEqual(someForecast());
  });
  it('is null where none was stored, or one in a form that nobody knows', () => {
    expect(forecastOf({})).toBeNull();
    expect(forecastOf({ forecast: { ...someForecast(), device_bytes: 8e9 } })).toBeNull();
  });
});
