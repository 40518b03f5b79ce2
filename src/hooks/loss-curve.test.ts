import { expect, test } from 'vitest';
import type { MetricPoint } from '#/contract/job-reads.ts';
import { lossCurve, smoothed } from './loss-curve.ts';

const point = (step: number, rest: Partial<MetricPoint>): MetricPoint => ({
  attempt: 1,
  seq: step,
  step,
  epoch: null,
  timestamp: new Date(step * 1000).toISOString(),
  loss: null,
  eval_loss: null,
  learning_rate: null,
  grad_norm: null,
  tokens_per_second: null,
  samples_per_second: null,
  gpu_memory_mb: null,
  peak_memory_mb: null,
  extra: null,
  ...rest,
});

test('training and evaluation loss of one step stand in one row', () => {
  const curve = lossCurve([point(1, { loss: 3 }), point(2, { loss: 2 }), point(2, { eval_loss: 2.5 })], 'step', 0);
  expect(curve).toEqual({ x: [1, 2], loss: [3, 2], smooth: [3, 2], eval_loss: [null, 2.5] });
});

test('a smoothed line begins at its first value and leaves gaps open', () => {
  expect(smoothed([4, null, 4, 0], 0.5)).toEqual([4, null, 4, expect.closeTo(12 / 7)]);
  expect(smoothed([5, 1], 0)).toEqual([5, 1]);
});

test('the time between two attempts is not drawn', () => {
  const points = [
    point(1, { loss: 3, timestamp: '2026-01-01T00:00:00Z' }),
    point(2, { loss: 2, timestamp: '2026-01-01T00:00:10Z' }),
    point(3, { attempt: 2, loss: 1, timestamp: '2026-01-02T00:00:00Z' }),
    point(4, { attempt: 2, loss: 1, timestamp: '2026-01-02T00:00:05Z' }),
  ];
  expect(lossCurve(points, 'time', 0).x).toEqual([0, 10, 10, 15]);
});
