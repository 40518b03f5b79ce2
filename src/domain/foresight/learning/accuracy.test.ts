import { describe, expect, it } from 'vitest';
import { someForecast, someMeasured } from '../../../../test/foretold.ts';
import { accuracyOf, compareCost, compareHours, compareMemory, compareTime, isCovered } from './accuracy.ts';

const one = (measured: number, residual = 0) => ({ foretold: { figure: 100, low: 90, high: 120 }, measured, residual });

describe('the accuracy of several runs', () => {
  it('counts those in the interval, its ends included, and tells errors as shares of the figure', () => {
    expect(accuracyOf([90, 120, 121, 89, 100].map((measured) => one(measured)))).toMatchObject({
      runs: 5,
      covered: 3,
      median_error: expect.closeTo(0.11, 10),
      p95_error: expect.closeTo(0.21, 10),
      worst_error: expect.closeTo(0.21, 10),
    });
  });
  it('has the 95th percentile apart from the worst from twenty runs on', () => {
    const runs = Array.from({ length: 20 }, (_, at) => one(100 + at));
    expect(accuracyOf(runs)).toMatchObject({ p95_error: expect.closeTo(0.18, 10), worst_error: expect.closeTo(0.19, 10) });
  });
  it('sums their residuals up for what is foretold next', () => {
    expect(accuracyOf([one(100, 0.1), one(100, 0.3)]).residuals).toMatchObject({ runs: 2, mean: expect.closeTo(0.2, 10) });
  });
  it('is nothing without runs', () => {
    const nothing = { runs: 0, covered: 0, median_error: null, p95_error: null, worst_error: null };
    expect(accuracyOf([])).toEqual({ ...nothing, residuals: { runs: 0, mean: 0, variance: 0 } });
  });
});

describe('what is compared', () => {
  it('is the device’s memory, or the allocator’s with what is known to lie outside of it', () => {
    expect(compareMemory(someForecast(), someMeasured())).toMatchObject({ measured: 7.4e9, foretold: { figure: 8e9 } });
    const allocator = compareMemory(someForecast(), someMeasured({ device_bytes: null }));
    expect(allocator?.measured).toBe(6.5e9 + 0.8e9);
    expect(compareMemory(someForecast(), someMeasured({ device_bytes: null, reserved_bytes: null }))).toBeNull();
  });
  it('is time, hours and cost where both were told', () => {
    for (const compare of [compareTime, compareHours, compareCost]) {
      const compared = compare(someForecast(), someMeasured());
      expect(compared !== null && isCovered(compared)).toBe(true);
      expect(compare(someForecast({ seconds_per_step: null, hours: null, cost: null }), someMeasured())).toBeNull();
      expect(compare(someForecast(), someMeasured({ seconds_per_step: null, hours: null, cost: null }))).toBeNull();
    }
  });
});
