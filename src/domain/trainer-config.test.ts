import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TrainerConfig } from './trainer-config.ts';
import { MODEL_KINDS } from './trainer-config-parts.ts';

const SAMPLES = new URL('../../trainer/schema/samples/', import.meta.url);
const sample = (name = 'config.json') => JSON.parse(readFileSync(new URL(name, SAMPLES), 'utf8'));

describe('config.json', () => {
  test.each(['config.json', 'image-config.json'])('the sample %s is complete and taken as it is', (name) => {
    expect(TrainerConfig.parse(sample(name))).toEqual(sample(name));
  });

  test.each(['config.json', 'image-config.json'])(
    'no default is filled in: each field that %s lacks is refused by name',
    (name) => {
      for (const key of Object.keys(sample(name))) {
        const { [key]: _left_out, ...rest } = sample(name);
        expect(TrainerConfig.safeParse(rest).error?.issues[0]?.path).toEqual([key]);
      }
      for (const key of Object.keys(sample(name).training_params)) {
        const config = sample(name);
        delete config.training_params[key];
        expect(TrainerConfig.safeParse(config).error?.issues[0]?.path).toEqual(['training_params', key]);
      }
    },
  );

  test.each([
    ['an unknown field', { surprise: 1 }],
    ['another protocol', { protocol: 2 }],
    ['a relative path', { dataset_path: 'rows.jsonl' }],
    ['an unknown canonical field', { dataset: { ...sample().dataset, mapping: { question: 'q' } } }],
    ['a boolean for a number', { checkpoint_interval: true }],
    ['a kind of model that has no recipe', { model_kind: 'gan' }],
    ['an image model with the parameters of a language model', { model_kind: 'sdxl' }],
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

test('every kind of model has its form', () => {
  expect(TrainerConfig.options.map((form) => form.shape.model_kind.value)).toEqual([...MODEL_KINDS]);
});

describe('config.json of an image model', () => {
  const taken = (kind: string, change: object) => {
    const config = sample('image-config.json');
    const training_params = { ...config.training_params, min_snr_gamma: null, ...change };
    return TrainerConfig.safeParse({ ...config, model_kind: kind, training_params }).success;
  };

  test('FLUX is refused what only a noise schedule or a CLIP text encoder can do', () => {
    expect(taken('flux', {})).toBe(true);
    const changes = [
      { train_text_encoder: true },
      { text_encoder_learning_rate: 1e-5 },
      { min_snr_gamma: 5 },
      { noise_offset: 0.1 },
    ];
    for (const change of changes) {
      expect([taken('flux', change), taken('sdxl', change), taken('stable-diffusion', change)]).toEqual([false, true, true]);
    }
  });

  test('a resolution is a multiple of 64', () => {
    expect([64, 96, 1024, 2048, 2112].map((resolution) => taken('sdxl', { resolution }))).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});
