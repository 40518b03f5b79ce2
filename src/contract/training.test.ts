import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TrainingSpec } from '#/domain/training-spec.ts';
import { specOfDoorA } from '#/http/job-door-a.ts';
import { DOOR_A_RANGES, SubmitTrainingBody } from './training.ts';

const NOW = new Date('2026-01-31T12:00:00Z');
const { learning_rate, batch_size, steps, lora_rank, lora_alpha } = DOOR_A_RANGES;
// A hundred of them make a prompt: 100 × 38 characters and 99 × 2 between them are 3,998.
const word = fc
  .string({ minLength: 1, maxLength: 38, unit: fc.constantFrom(...'abcxyz ABC019._-é猫') })
  .filter((text) => text.trim() !== '');
const absent = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });

/** What door A must take. */
const good = fc.record({
  dataset_id: fc.uuid(),
  type: fc.constantFrom('lora', 'dreambooth'),
  base_model: fc.constantFrom('a/b', 'meta-llama/Llama-3.2-1B', 'a/b@main', 'a/b@refs/pr/1'),
  name: absent(word),
  config: fc.record({
    learning_rate: absent(fc.double({ ...learning_rate, noNaN: true })),
    batch_size: absent(fc.integer(batch_size)),
    steps: absent(fc.integer(steps)),
    resolution: absent(fc.integer({ min: 4, max: 16 }).map((times) => times * 64)),
    lora_rank: absent(fc.integer(lora_rank)),
    lora_alpha: absent(fc.integer(lora_alpha)),
  }),
  trigger_words: absent(fc.array(word, { maxLength: 100 })),
});

const whole = ({ min, max }: { min: number; max: number }) =>
  fc.oneof(fc.integer({ max: min - 1 }), fc.integer({ min: max + 1 }), fc.double({ min, max, noInteger: true, noNaN: true }));
const no_number = fc.oneof(
  fc.boolean(),
  fc.string(),
  fc.constantFrom(null, Number.NaN, Infinity, -Infinity),
  fc.array(fc.integer()),
);

/** Values that each number of the configuration must refuse. */
const BAD: Record<string, fc.Arbitrary<unknown>> = {
  learning_rate: fc.oneof(no_number, fc.double({ max: 9.9e-7, noNaN: true }), fc.double({ min: 0.0100001, noNaN: true })),
  batch_size: fc.oneof(no_number, whole(batch_size)),
  steps: fc.oneof(no_number, whole(steps)),
  resolution: fc.oneof(
    no_number,
    fc.integer().filter((n) => n % 64 !== 0 || n < 256 || n > 1024),
  ),
  lora_rank: fc.oneof(no_number, whole(lora_rank)),
  lora_alpha: fc.oneof(no_number, whole(lora_alpha)),
};

describe('door A', () => {
  test('takes whatever keeps its rules, and makes a spec of it that the domain takes', () => {
    fc.assert(
      fc.property(good, (body) => {
        const parsed = SubmitTrainingBody.parse(body);
        const spec = specOfDoorA(parsed, NOW);
        expect(TrainingSpec.parse(spec)).toEqual(spec);
        expect(spec).toMatchObject({ max_steps: body.config.steps ?? 1000, hyperparameters: { epochs: null } });
      }),
    );
  });

  test('refuses every number outside of its rule, each in one row, all at once', () => {
    const names = fc.subarray(Object.keys(BAD), { minLength: 1 });
    const values = fc.record(BAD);
    fc.assert(
      fc.property(good, names, values, (body, broken, bad) => {
        const config = { ...body.config, ...Object.fromEntries(broken.map((name) => [name, bad[name]])) };
        const parsed = SubmitTrainingBody.safeParse({ ...body, config });
        expect(parsed.error?.issues.map((issue) => issue.path.join('.')).sort()).toEqual(
          broken.map((name) => `config.${name}`).sort(),
        );
      }),
    );
  });

  test('refuses any other field by its name', () => {
    const known = new Set([...Object.keys(SubmitTrainingBody.shape), '__proto__']);
    const other = fc.string({ minLength: 1 }).filter((name) => !known.has(name));
    fc.assert(
      fc.property(good, other, fc.json(), (body, name, value) => {
        const parsed = SubmitTrainingBody.safeParse({ ...body, [name]: value });
        expect(parsed.error?.issues).toEqual([expect.objectContaining({ code: 'unrecognized_keys', keys: [name] })]);
      }),
    );
  });

  test('never answers a wrong body with anything but a refusal', () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expect(SubmitTrainingBody.safeParse(body).success).toBe(false);
      }),
    );
  });

  test('narrows the domain and nowhere widens it', () => {
    const spec = specOfDoorA(SubmitTrainingBody.parse(fc.sample(good, 1)[0]), NOW);
    for (const bound of ['min', 'max'] as const) {
      const config = {
        learning_rate: learning_rate[bound],
        batch_size: batch_size[bound],
        rank: lora_rank[bound],
        alpha: lora_alpha[bound],
      };
      const widest = { ...spec, hyperparameters: { ...spec.hyperparameters, ...config }, max_steps: steps[bound] };
      expect(TrainingSpec.safeParse(widest).success).toBe(true);
    }
  });
});
