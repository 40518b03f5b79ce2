import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findGpu, GPU_DEFAULTS } from './gpu-catalog.ts';
import { countSteps } from './planner.ts';
import { ESTIMATE_CONSTANTS, estimateTraining, type TrainingDevices } from './training-estimate.ts';

function gpu(name: string, count = 1): TrainingDevices {
  const entry = findGpu(GPU_DEFAULTS, name);
  if (entry === null) throw new Error(`there is no ${name}`);
  return { ...entry, count };
}

describe('an estimate', () => {
  test.each([
    // rows, batch, epochs, tokens, GPU, count, steps a pass, steps, rate, hours of training, compute
    [1000, 4, 3, 1_000_000, 'A100-80GB', 1, 250, 750, 3.5, 0.46296, 1.88],
    [1001, 4, 3, 1_000_000, 'A100-80GB', 2, 251, 753, 7, 0.23148, 2.15],
    [1000, 8, 1, 10_000_000, 'A100-40GB', 3, 125, 125, 8.4, 0.61728, 5.68],
    [1000, 2, 5, 10_000_000, 'H100', 8, 500, 2500, 33.6, 0.78914, 29.6],
    [1, 16, 1, 100, 'V100-32GB', 1, 1, 1, 2.1, 0.00002, 0.12],
    [1000, 4, 3, 1_000_000, 'CPU', 1, 250, 750, 0, 20.83333, 0],
  ] as const)(
    'of %i rows in batches of %i, %i passes over %i tokens on %s × %i',
    (rows, batch, epochs, tokens, name, count, a_pass, steps, rate, hours, compute) => {
      const load = { tokens, dataset_bytes: 1_000_000_000, rank: 16 };
      const told = estimateTraining(countSteps(rows, batch, epochs, null), load, gpu(name, count));
      expect(told).toMatchObject({ steps_per_epoch: a_pass, total_steps: steps, tokens: tokens * epochs, hourly_rate: rate });
      expect(told.training_hours).toBeCloseTo(hours, 5);
      expect(told.overhead_hours).toBeCloseTo((180 + 30 * epochs) / 3600, 10);
      // 1 GB of dataset and 16 × 0.005 GB of adapter at 0.10.
      expect(told.cost).toEqual({ compute, storage: 0.11, total: Math.round((compute + 0.11) * 100) / 100 });
    },
  );

  test('of a run that ends early counts the tokens of the steps that it takes', () => {
    const load = { tokens: 1000, dataset_bytes: 4000, rank: 8 };
    const whole = estimateTraining(countSteps(100, 10, 2, null), load, gpu('h100'));
    const half = estimateTraining(countSteps(100, 10, 2, 10), load, gpu('h100'));
    const by_steps = estimateTraining(countSteps(100, 10, null, 30), load, gpu('h100'));
    expect([whole.tokens, half.tokens, by_steps.tokens]).toEqual([2000, 1000, 3000]);
  });

  test('of a dataset whose tokens nobody counted goes by its size, and says so', () => {
    const plan = countSteps(100, 10, 1, null);
    const counted = estimateTraining(plan, { tokens: 1000, dataset_bytes: 4000, rank: 8 }, gpu('h100'));
    const guessed = estimateTraining(plan, { tokens: null, dataset_bytes: 4000, rank: 8 }, gpu('h100'));
    expect(guessed).toEqual({ ...counted, tokens_counted: false });
  });

  test('of what is foreseen takes that long, and its throughput is what comes of it', () => {
    const foreseen = { startup_s: 60, training_s: 3600, evaluation_s: 120, checkpoints_s: 10, saving_s: 10 };
    const load = { tokens: 360_000, dataset_bytes: 1_000_000_000, rank: 16 };
    const told = estimateTraining(countSteps(1000, 4, 2, null), load, gpu('h100', 2), foreseen);
    expect(told).toMatchObject({ tokens: 720_000, tokens_per_second: 200, training_hours: 1, overhead_hours: 200 / 3600 });
    expect(told.duration_hours).toBeCloseTo(told.tokens / told.tokens_per_second / 3600 + told.overhead_hours, 10);
    // 3800 s of two at 4.20 each
    expect(told.cost).toEqual({ compute: 8.87, storage: 0.11, total: 8.98 });
  });

  const inputs = fc.record({
    rows: fc.integer({ min: 1, max: 10_000_000 }),
    batch: fc.integer({ min: 1, max: 16 }),
    epochs: fc.integer({ min: 1, max: 10 }),
    rank: fc.integer({ min: 4, max: 128 }),
    tokens: fc.option(fc.integer({ min: 0, max: 1e12 })),
    dataset_bytes: fc.integer({ min: 0, max: 500_000_000 }),
    type: fc.constantFrom(...GPU_DEFAULTS),
    count: fc.integer({ min: 1, max: 8 }),
  });

  test('takes the planner’s steps, keeps its formulas and is money to the cent, whatever is asked', () => {
    const cents = /^\d+(\.\d{1,2})?$/;
    fc.assert(
      fc.property(inputs, ({ rows, batch, epochs, rank, tokens, dataset_bytes, type, count }) => {
        const plan = countSteps(rows, batch, epochs, null);
        const told = estimateTraining(plan, { tokens, dataset_bytes, rank }, { ...type, count });
        expect(told).toMatchObject(plan);
        expect(told.steps_per_epoch).toBe(Math.ceil(rows / batch));
        expect(told.total_steps).toBe(told.steps_per_epoch * epochs);
        expect(told.tokens_per_second).toBe(type.tokens_per_second * count);
        const { initialisation_s, validation_s_per_epoch, saving_s } = ESTIMATE_CONSTANTS;
        const seconds = told.tokens / told.tokens_per_second + initialisation_s + epochs * validation_s_per_epoch + saving_s;
        expect(told.duration_hours * 3600).toBeCloseTo(seconds, 3);
        expect(Math.abs(told.hourly_rate - type.hourly_rate * count)).toBeLessThan(0.005);
        expect(Math.abs(told.cost.compute - told.duration_hours * told.hourly_rate)).toBeLessThan(0.0051);
        expect(Math.round(told.cost.total * 100)).toBe(Math.round(told.cost.compute * 100) + Math.round(told.cost.storage * 100));
        for (const usd of [told.hourly_rate, ...Object.values(told.cost)]) expect(String(usd)).toMatch(cents);
      }),
    );
  });

  test('never falls when there is more to do, and more devices never take longer', () => {
    fc.assert(
      fc.property(inputs, ({ rows, batch, epochs, rank, tokens, dataset_bytes, type, count }) => {
        const load = { tokens, dataset_bytes, rank };
        const told = estimateTraining(countSteps(rows, batch, epochs, null), load, { ...type, count });
        const longer = estimateTraining(countSteps(rows, batch, epochs + 1, null), load, { ...type, count });
        const wider = estimateTraining(countSteps(rows, batch, epochs, null), load, { ...type, count: count + 1 });
        expect(longer.cost.total).toBeGreaterThanOrEqual(told.cost.total);
        expect(longer.duration_hours).toBeGreaterThan(told.duration_hours);
        expect(wider.duration_hours).toBeLessThanOrEqual(told.duration_hours);
      }),
    );
  });
});
