/** How well forecasts held: of one figure over several runs. */
import * as z from 'zod';
import { Residuals, sumUpResiduals } from './correction.ts';
import type { MeasuredRun } from './measured-run.ts';
import type { Foretold, StoredForecast } from './observed-run.ts';

const share = z.number().min(0);

export const Accuracy = z.object({
  /** Runs that measured it. */
  runs: z.int().min(0),
  /** How many of them lay in the interval that was told. */
  covered: z.int().min(0),
  /** |measured ÷ foretold − 1|: 0.1 is a tenth. Null without runs. */
  median_error: share.nullable(),
  p95_error: share.nullable(),
  worst_error: share.nullable(),
  /** Against the formulas, for the forecasts to come. */
  residuals: Residuals,
});
export type Accuracy = z.infer<typeof Accuracy>;

/** One figure of one run: what was told, and what came. */
export interface Comparison {
  foretold: Pick<Foretold, 'figure' | 'low' | 'high'>;
  measured: number;
}

/** The memory of a run as it was foretold and as it was measured: of the device, or of the allocator where that alone was measured. */
export function compareMemory(forecast: StoredForecast, measured: MeasuredRun): Comparison | null {
  const { device_bytes, allocator_bytes } = forecast;
  if (measured.device_bytes !== null) return { foretold: device_bytes, measured: measured.device_bytes };
  if (measured.reserved_bytes === null) return null;
  // The allocator's part of the interval: the rest is outside of it, and its bytes are the same on every run.
  const outside = device_bytes.formula - allocator_bytes;
  return { foretold: device_bytes, measured: measured.reserved_bytes + Math.max(0, outside) };
}

export function compareTime(forecast: StoredForecast, measured: MeasuredRun): Comparison | null {
  if (forecast.seconds_per_step === null || measured.seconds_per_step === null) return null;
  return { foretold: forecast.seconds_per_step, measured: measured.seconds_per_step };
}

export function compareHours(forecast: StoredForecast, measured: MeasuredRun): Comparison | null {
  if (forecast.hours === null || measured.hours === null) return null;
  return { foretold: forecast.hours, measured: measured.hours };
}

export function compareCost(forecast: StoredForecast, measured: MeasuredRun): Comparison | null {
  if (forecast.cost === null || measured.cost === null) return null;
  return { foretold: forecast.cost, measured: measured.cost };
}

/** How far the truth lay from the figure, as a share of the figure. */
const errorOf = ({ foretold, measured }: Comparison): number => Math.abs(measured / foretold.figure - 1);

export const isCovered = ({ foretold, measured }: Comparison): boolean => measured >= foretold.low && measured <= foretold.high;

/** Sums up one figure over runs, each with its residual against the formula. */
export function accuracyOf(comparisons: readonly (Comparison & { residual: number })[]): Accuracy {
  const errors = comparisons.map(errorOf).toSorted((a, b) => a - b);
  return {
    runs: comparisons.length,
    covered: comparisons.filter(isCovered).length,
    median_error: percentile(errors, 0.5),
    p95_error: percentile(errors, 0.95),
    worst_error: errors.at(-1) ?? null,
    residuals: sumUpResiduals(comparisons.map(({ residual }) => residual)),
  };
}

/** By the nearest rank: one of the errors themselves. */
function percentile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null;
}
