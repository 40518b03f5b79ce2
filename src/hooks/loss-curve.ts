/** The series of a loss chart, from the points of a job. */
import type { MetricPoint } from '#/contract/job-reads.ts';

export type CurveAxis = 'step' | 'time';

export interface LossCurve {
  /** Steps, or seconds since the first point. */
  x: number[];
  loss: (number | null)[];
  smooth: (number | null)[];
  eval_loss: (number | null)[];
}

/**
 * Columns for the chart. Where both share a step, training and evaluation loss stand in one row. On a time axis the
 * hours between two attempts are left out: a later attempt goes on where the one before it stopped.
 */
export function lossCurve(points: readonly MetricPoint[], axis: CurveAxis, smoothing: number): LossCurve {
  const curve: LossCurve = { x: [], loss: [], smooth: [], eval_loss: [] };
  let start: number | null = null;
  let shared: MetricPoint | null = null;
  let attempt = 0;
  let offset = 0;
  let elapsed = 0;
  for (const point of points) {
    if (point.loss === null && point.eval_loss === null) continue;
    let x = point.step;
    if (axis === 'time') {
      const at = Date.parse(point.timestamp) / 1000;
      if (start === null || point.attempt !== attempt) {
        offset = elapsed;
        start = at;
        attempt = point.attempt;
      }
      elapsed = Math.max(elapsed, offset + at - start);
      x = elapsed;
    }
    const last = curve.x.length - 1;
    const same = shared !== null && shared.step === point.step && shared.attempt === point.attempt;
    shared = point;
    if (same) {
      if (point.loss !== null) curve.loss[last] = point.loss;
      if (point.eval_loss !== null) curve.eval_loss[last] = point.eval_loss;
    } else {
      curve.x.push(x);
      curve.loss.push(point.loss);
      curve.eval_loss.push(point.eval_loss);
    }
  }
  curve.smooth = smoothed(curve.loss, smoothing);
  return curve;
}

/** Exponential moving average with weight `smoothing` (0 to below 1) on the past, unbiased at the start; gaps stay gaps. */
export function smoothed(values: readonly (number | null)[], smoothing: number): (number | null)[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * smoothing + value * (1 - smoothing);
    weight = weight * smoothing + (1 - smoothing);
    return sum / weight;
  });
}
