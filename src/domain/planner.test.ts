import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveHyperparameters } from './hyperparameters.ts';
import { countSteps, heldOutRows, planTraining } from './planner.ts';
import { NO_WISHES, type TrainingSpec } from './training-spec.ts';

const spec = (fields: Partial<TrainingSpec> = {}): TrainingSpec => ({
  name: 'A run',
  method: 'lora',
  dataset_id: '00000000-0000-4000-8000-000000000001',
  base_model_id: null,
  hub_model: null,
  trigger_words: [],
  resolution: null,
  ...resolveHyperparameters('fast', {}),
  gpu_config: null,
  max_steps: null,
  seed: 42,
  run: NO_WISHES,
  metadata: {},
  probe_only: false,
  limits: {},
  training_image_id: null,
  priority: 0,
  start: true,
  ...fields,
});

describe('counting steps', () => {
  test.each([
    [96, 8, 1, null, 12, 12],
    [97, 8, 1, null, 13, 13],
    [97, 8, 3, null, 13, 39],
    [97, 8, 3, 20, 13, 20],
    [97, 8, 1, 20, 13, 13],
    [1, 16, 1, null, 1, 1],
    [97, 8, null, 20, 13, 20],
    [1, 8, null, 500, 1, 500],
  ])('%i rows in batches of %i, %s epochs, at most %s: %i a pass, %i in all', (rows, batch, epochs, max, a_pass, all) => {
    expect(countSteps(rows, batch, epochs, max)).toEqual({ steps_per_epoch: a_pass, total_steps: all });
  });

  test('every row is seen in each pass and max_steps only ever shortens', () => {
    const inputs = fc.record({
      rows: fc.integer({ min: 1, max: 1e6 }),
      batch: fc.integer({ min: 1, max: 16 }),
      epochs: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(inputs, fc.option(fc.integer({ min: 1, max: 1e6 })), ({ rows, batch, epochs }, max) => {
        const free = countSteps(rows, batch, epochs, null);
        const bound = countSteps(rows, batch, epochs, max);
        expect(free.steps_per_epoch * batch).toBeGreaterThanOrEqual(rows);
        expect((free.steps_per_epoch - 1) * batch).toBeLessThan(rows);
        expect(bound.total_steps).toBe(Math.min(max ?? Infinity, free.total_steps));
      }),
    );
  });
});

describe('holding rows out', () => {
  test.each([
    [0, 0],
    [19, 0],
    [20, 1],
    [100, 5],
    [1280, 64],
    [7473, 64],
  ])('%i rows: %i held out', (rows, held_out) => {
    expect(heldOutRows(rows)).toBe(held_out);
  });
});

describe('planning', () => {
  test('a run that is counted in steps takes as many passes as those need, the last one perhaps in part', () => {
    const inputs = fc.record({
      rows: fc.integer({ min: 1, max: 1e6 }),
      batch: fc.integer({ min: 1, max: 16 }),
      steps: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(inputs, ({ rows, batch, steps }) => {
        const hyperparameters = { ...spec().hyperparameters, batch_size: batch, epochs: null };
        const asked = spec({ hyperparameters, max_steps: steps });
        const plan = planTraining(asked, { training_pairs: rows, validation_pairs: 0 }, { context_length: 512 });
        expect(plan.total_steps).toBe(steps);
        expect(plan.total_epochs * plan.steps_per_epoch).toBeGreaterThanOrEqual(steps);
        expect((plan.total_epochs - 1) * plan.steps_per_epoch).toBeLessThan(steps);
      }),
    );
  });

  test('accumulates forward passes into steps, as the trainer counts them', () => {
    const { steps_per_epoch, total_steps } = countSteps(97, 8, 2, null, 4);
    expect([steps_per_epoch, total_steps]).toEqual([4, 8]);
    expect(countSteps(97, 8, 2, null, 1)).toEqual(countSteps(97, 8, 2, null));
  });

  test('keeps to what was wished, and a warm-up never outlasts its run', () => {
    const facts = [{ training_pairs: 1000, validation_pairs: 5 }, { context_length: 512 }] as const;
    const run = { ...NO_WISHES, grad_accum: 2, warmup_steps: 100, checkpoint_interval: 7, eval_interval: 9 };
    const wished = { grad_accum: 2, warmup_steps: 100, checkpoint_interval: 7, eval_interval: 9 };
    expect(planTraining(spec({ run, max_steps: 60 }), ...facts)).toMatchObject({ ...wished, warmup_steps: 60, total_steps: 60 });
    const { hyperparameters } = spec();
    const long = spec({ run, max_steps: 300, hyperparameters: { ...hyperparameters, epochs: null } });
    expect(planTraining(long, ...facts)).toMatchObject({ ...wished, total_steps: 300, steps_per_epoch: 63 });
  });

  test('a curve has a point of every step, and of a very long run at most a hundred thousand', () => {
    const { hyperparameters } = spec();
    const loggedEvery = (max_steps: number) =>
      planTraining(
        spec({ max_steps, hyperparameters: { ...hyperparameters, epochs: null } }),
        { training_pairs: 1000, validation_pairs: 5 },
        { context_length: 512 },
      ).logging_steps;
    expect([1, 100_000, 100_001, 1_000_000].map(loggedEvery)).toEqual([1, 1, 2, 10]);
  });

  test('leaves no default open and stays within the run', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 8, max: 1e6 }),
        (rows, epochs, context) => {
          const { hyperparameters } = spec();
          const plan = planTraining(
            spec({ hyperparameters: { ...hyperparameters, epochs } }),
            { training_pairs: rows, validation_pairs: heldOutRows(rows) },
            { context_length: context },
          );
          expect(Object.values(plan)).not.toContain(undefined);
          expect(plan.warmup_steps).toBeLessThan(plan.total_steps);
          expect(plan.max_seq_length).toBeLessThanOrEqual(context);
          expect(plan.checkpoint_interval).toBeGreaterThan(0);
        },
      ),
    );
  });
});
