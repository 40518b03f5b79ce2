import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TrainerConfig } from './trainer-config.ts';

const sample = () => JSON.parse(readFileSync(new URL('../../trainer/schema/samples/config.json', import.meta.url), 'utf8'));

describe('config.json', () => {
  test('the sample is complete and taken as it is', () => {
    expect(TrainerConfig.parse(sample())).toEqual(sample());
  });

  test('no default is filled in: each field that is left out is refused by name', () => {
    for (const key of Object.keys(sample())) {
      const { [key]: _left_out, ...rest } = sample();
      expect(TrainerConfig.safeParse(rest).error?.issues[0]?.path).toEqual([key]);
    }
    for (const key of Object.keys(sample().training_params)) {
      const config = sample();
      delete config.training_params[key];
      expect(TrainerConfig.safeParse(config).error?.issues[0]?.path).toEqual(['training_params', key]);
    }
  });

  test.each([
    ['an unknown field', { surprise: 1 }],
    ['another protocol', { protocol: 2 }],
    ['a relative path', { dataset_path: 'rows.jsonl' }],
    ['an unknown canonical field', { dataset: { ...sample().dataset, mapping: { question: 'q' } } }],
    ['a boolean for a number', { checkpoint_interval: true }],
    ['two adapters to start from', { init_adapters: Array(2).fill({ path: '/a', sha256: 'a'.repeat(64) }) }],
  ])('%s is refused', (_what, change) => {
    expect(TrainerConfig.safeParse({ ...sample(), ...change }).success).toBe(false);
  });

  test('a learning rate of 0 is allowed, NaN and infinity are not', () => {
    const at = (learning_rate: number) =>
      TrainerConfig.safeParse({ ...sample(), training_params: { ...sample().training_params, learning_rate } }).success;
    expect([at(0), at(1), at(Number.NaN), at(Number.POSITIVE_INFINITY), at(-1)]).toEqual([true, true, false, false, false]);
  });
});
