/** What measured runs say of the formulas: their residuals, and how those narrow and move the next forecast. */
import * as z from 'zod';
import type { DeviceFacts } from '../devices/hardware.ts';
import type { Correction, Factor } from '../forecast.ts';
import { RUN_METHODS } from '../run-shape.ts';
import { featureKey, type RunFeatures } from './observed-run.ts';

/** Residuals ln(measured / formula) of some runs, outliers drawn in: how many, their mean, and their variance (÷ n). */
export const Residuals = z.object({ runs: z.int().min(0), mean: z.number(), variance: z.number().min(0) });
export type Residuals = z.infer<typeof Residuals>;

export const NO_RESIDUALS: Residuals = { runs: 0, mean: 0, variance: 0 };

/** What the whole installation's runs of one kind say. Numbers alone: whose they were is not in it. */
export const RunGroup = z.object({
  gpu: z.string(),
  stack_version: z.string(),
  method: z.enum(RUN_METHODS),
  memory: Residuals,
  time: Residuals,
});
export type RunGroup = z.infer<typeof RunGroup>;

/** One of the caller's own runs, to be found again by all its features. Figures are residuals; null: not measured. */
export const OwnRun = z.object({
  gpu: z.string(),
  stack_version: z.string(),
  /** See `featureKey`. */
  key: z.string(),
  memory: z.number().nullable(),
  time: z.number().nullable(),
  /** It ran out of memory: the residual of all that the device has. */
  memory_at_least: z.number().nullable(),
});
export type OwnRun = z.infer<typeof OwnRun>;

/** All that corrects forecasts for one person, the newest first: the first group of a device has the stack that it runs now. */
export const Corrections = z.object({ groups: z.array(RunGroup), own: z.array(OwnRun) });
export type Corrections = z.infer<typeof Corrections>;

/** An interval that nine of ten truths lie in, as multiples of its figure. */
export interface Ratios {
  low: number;
  high: number;
}

/** Of the normal distribution. */
const Z95 = 1.6448536269514722;

/**
 * How the formula's own variance is split: so much of it is its error on one device, stack and method, the same every time, and the
 * rest is scatter from run to run, known as well as from so many runs. Chosen so that the interval keeps its 90 % whichever of the
 * two it truly is (simulated beside this file); a larger share follows runs faster and misses 85 % where most of it is scatter.
 */
const OWN_ERROR_SHARE = 0.2;
const SCATTER_FREEDOM = 6;

/**
 * Runs that are not like this one count as this many of it, however many they are: a power prior (Ibrahim and Chen, Statistical
 * Science 15, 2000) whose weight is bounded. Both bounds are assumed: enough to show a direction, too little to narrow much.
 */
const OTHER_METHOD_RUNS_MAX = 2;
const OTHER_STACK_RUNS_MAX = 1;

/** Further than this from the middle, in standard deviations, is drawn in to it: a failed measurement. */
const OUTLIER_FROM = 3;
/** Of normal residuals, 1 / Φ⁻¹(¾), and by what that is too small for 3 to 9 of them: Croux and Rousseeuw, COMPSTAT 1992, table 1. */
const DEVIATION_OF_MAD = 1.4826;
const FEW_RUNS = [1, 1, 1.196, 1.495, 1.363, 1.206, 1.2, 1.14, 1.129, 1.107];
/** Nothing that is measured repeats itself closer. */
const SCATTER_MIN = 0.01;

/**
 * Standard deviation of what one and the same run measures, again and again: of ln(bytes) and of ln(seconds). Assumed, for nobody has published
 * such: torchtune's allocator holds 1.01 of its tensors where shapes are fixed (e2e_flow.rst), and clocks of GPUs wander by a few percent.
 * A processor is shared with whatever else its host does: measured here, on 2 cores at a load of 9, were 0.237, 0.243, 0.334 and 0.324 s for
 * one and the same step, and 1 of 5 such lay in an interval made of 0.04. Several runs that differ by more are told by their own scatter.
 */
const MEASUREMENT_NOISE = { gpu: { memory: 0.01, time: 0.04 }, cpu: { memory: 0.01, time: 0.25 } } as const;

/**
 * By what factor runs that are not the very same, anybody's on this installation, move a figure at most, either way. A choice of ours, so that nobody's
 * many odd runs (a GPU that something else fills) bend everybody's: a formula of bytes is not off by more than half, one of seconds may be far off on
 * a device or stack that it was never held against.
 */
const MOVED_AT_MOST = { memory: 1.5, time: 20 } as const;

/**
 * Sums residuals up. From three on, those that lie far from the median are drawn in to three robust deviations from it
 * (winsorised; Huber, Robust Statistics, 1981, ch. 1); of fewer nobody can tell which one is wrong.
 */
export function sumUpResiduals(residuals: readonly number[]): Residuals {
  const runs = residuals.length;
  if (runs === 0) return NO_RESIDUALS;
  const middle = median(residuals);
  const mad = median(residuals.map((residual) => Math.abs(residual - middle)));
  const deviation = DEVIATION_OF_MAD * (FEW_RUNS[runs] ?? runs / (runs - 0.8)) * mad;
  const reach = runs < 3 ? Number.POSITIVE_INFINITY : OUTLIER_FROM * Math.max(deviation, SCATTER_MIN);
  const drawn = residuals.map((residual) => clamp(residual, middle - reach, middle + reach));
  const mean = drawn.reduce((sum, residual) => sum + residual, 0) / runs;
  return { runs, mean, variance: drawn.reduce((sum, residual) => sum + (residual - mean) ** 2, 0) / runs };
}

/**
 * What the formulas' figures for a run are to be multiplied with, and the interval that is left. A run of the caller's own that
 * equals it, on the stack that its device has now, says all; else the residuals of this device: of the same method and stack in
 * full, of others a little. Without any it is the prior.
 */
export function correctionOf(
  prior: { memory: Ratios; time: Ratios },
  corrections: Corrections,
  asked: { gpu: string; kind: DeviceFacts['kind']; features: RunFeatures },
): Correction {
  const groups = corrections.groups.filter(({ gpu }) => gpu === asked.gpu);
  const stack = groups[0]?.stack_version;
  const key = featureKey(asked.features);
  const same = corrections.own.filter(
    (run) => run.key === key && run.gpu === asked.gpu && (stack === undefined || run.stack_version === stack),
  );
  const factor = (figure: 'memory' | 'time'): Factor => {
    const measured = same.flatMap((run) => run[figure] ?? []);
    if (measured.length > 0) return measuredFactor(measured, MEASUREMENT_NOISE[asked.kind][figure]);
    const of = (kind: (group: RunGroup) => boolean) => groups.filter(kind).map((group) => group[figure]);
    return learntFactor(prior[figure], MOVED_AT_MOST[figure], {
      alike: of((group) => group.stack_version === stack && group.method === asked.features.method),
      other_method: of((group) => group.stack_version === stack && group.method !== asked.features.method),
      other_stack: of((group) => group.stack_version !== stack),
    });
  };
  const bounds = same.flatMap((run) => run.memory_at_least ?? []);
  const memory = factor('memory');
  return { memory: memory.same ? memory : atLeast(memory, Math.exp(Math.max(...bounds))), time: factor('time') };
}

/** What a measurement of the very run says: its figure, and the noise of another measurement. */
function measuredFactor(residuals: readonly number[], noise: number): Factor {
  const { runs, mean, variance } = sumUpResiduals(residuals);
  const scatter = Math.max(noise ** 2, runs > 1 ? (variance * runs) / (runs - 1) : 0);
  const half = Z95 * Math.sqrt(scatter * (1 + 1 / runs));
  return { factor: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half), runs, near: 0, same: true };
}

/** A run that went out of memory tells what the figure lies above, and nothing of how far. */
function atLeast(factor: Factor, bound: number): Factor {
  if (!(bound > factor.low)) return factor;
  const figure = Math.max(factor.factor, bound);
  return { ...factor, factor: figure, low: bound, high: (factor.high / factor.factor) * figure };
}

/**
 * The predictive interval of the next run. The formula's error is normal around none, with the variance that it owns to; a run is
 * normal around that error, with a scatter that the prior and the runs' own tell together. So the mean of the runs is shrunk as in
 * partial pooling (Gelman et al., Bayesian Data Analysis, 3rd ed., 5.4; Efron and Morris, JASA 70, 1975), and the interval is
 * Student's, for the scatter is estimated (ibid., 3.3). Without runs it is the formula's own; its lopsidedness fades as its say does.
 */
function learntFactor(
  { low, high }: Ratios,
  moved_at_most: number,
  evidence: { alike: Residuals[]; other_method: Residuals[]; other_stack: Residuals[] },
): Factor {
  const [below, above] = [Math.log(low), Math.log(high)];
  const half = Math.max((above - below) / 2, SCATTER_MIN);
  const reach = OUTLIER_FROM * (half / Z95);
  const weighed = [
    ...weigh(evidence.alike, Number.POSITIVE_INFINITY),
    ...weigh(evidence.other_method, OTHER_METHOD_RUNS_MAX),
    ...weigh(evidence.other_stack, OTHER_STACK_RUNS_MAX),
  ].map(({ residuals, weight }) => ({ ...drawIn(residuals, reach), weight }));
  const n = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const mean = n === 0 ? 0 : weighed.reduce((sum, one) => sum + one.weight * one.mean, 0) / n;
  const squares = weighed.reduce((sum, one) => sum + one.weight * (one.variance + (one.mean - mean) ** 2), 0);
  const variance = (half / studentT95(SCATTER_FREEDOM)) ** 2;
  const own_error = OWN_ERROR_SHARE * variance;
  const freedom = SCATTER_FREEDOM + Math.max(0, n - 1);
  const scatter = (SCATTER_FREEDOM * (variance - own_error) + squares) / freedom;
  const trust = (n * own_error) / (n * own_error + scatter);
  const moved = clamp(trust * mean, -Math.log(moved_at_most), Math.log(moved_at_most));
  const half_left = studentT95(freedom) * Math.sqrt(scatter + (1 - trust) * own_error);
  const skew = ((above + below) / 2 / half) * (1 - trust);
  return {
    factor: Math.exp(moved),
    low: Math.exp(moved - half_left * (1 - skew)),
    high: Math.exp(moved + half_left * (1 + skew)),
    runs: count(evidence.alike),
    near: count(evidence.other_method) + count(evidence.other_stack),
    same: false,
  };
}

const count = (all: readonly Residuals[]) => all.reduce((sum, { runs }) => sum + runs, 0);

function weigh(all: readonly Residuals[], runs_max: number): { residuals: Residuals; weight: number }[] {
  const share = Math.min(1, runs_max / Math.max(1, count(all)));
  return all.filter(({ runs }) => runs > 0).map((residuals) => ({ residuals, weight: residuals.runs * share }));
}

/** One run or two, which are told whole by mean and variance: what the formula holds for impossible counts as far as it reaches. */
function drawIn({ runs, mean, variance }: Residuals, reach: number): Residuals {
  if (runs > 2) return { runs, mean, variance };
  const [a, b] = [-1, 1].map((side) => clamp(mean + side * Math.sqrt(variance), -reach, reach)) as [number, number];
  return { runs, mean: (a + b) / 2, variance: ((a - b) / 2) ** 2 };
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** 95th percentile of Student's t, from four degrees of freedom on within 0.1 %: Abramowitz and Stegun, 26.7.5. */
function studentT95(freedom: number): number {
  const z = Z95;
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}
