import { expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import type { RunProgress } from '#/domain/run-record.ts';
import { StageClock } from './stage-clock.ts';

const TIMES = scaledPromiseTimes(1);
const said = (more: Partial<RunProgress>): RunProgress => ({
  stage: null,
  step: null,
  total_steps: null,
  epoch: null,
  eta_seconds: undefined,
  metrics: {},
  measured: null,
  ...more,
});

test('training without another step is a hang at its limit, whatever else is said', () => {
  const clock = new StageClock(TIMES, 'training', 3, 0);
  clock.heard(said({ step: 3 }), TIMES.hang_training_ms - 1);
  expect(clock.isHung(TIMES.hang_training_ms)).toBe(false);
  expect(clock.isHung(TIMES.hang_training_ms + 1)).toBe(true);
  clock.heard(said({ step: 4 }), TIMES.hang_training_ms);
  expect(clock.isHung(TIMES.hang_training_ms * 2)).toBe(false);
});

test('another stage has a longer limit, and any word of it counts', () => {
  const clock = new StageClock(TIMES, 'training', 3, 0);
  clock.heard(said({ stage: 'evaluating' }), 100);
  expect(clock.isHung(100 + TIMES.hang_training_ms + 1)).toBe(false);
  clock.heard(said({}), TIMES.hang_stage_ms);
  expect(clock.isHung(TIMES.hang_stage_ms + 200)).toBe(false);
  expect(clock.isHung(TIMES.hang_stage_ms * 2 + 1)).toBe(true);
});

test('a run that goes on from an earlier step moves', () => {
  const clock = new StageClock(TIMES, 'training', 40, 0);
  clock.heard(said({ step: 36 }), TIMES.hang_training_ms);
  expect(clock.isHung(TIMES.hang_training_ms + 1)).toBe(false);
});

test('a silence that nobody could hear proves nothing', () => {
  const clock = new StageClock(TIMES, 'training', 1, 0);
  clock.excuse(TIMES.hang_training_ms);
  expect(clock.isHung(TIMES.hang_training_ms + 1)).toBe(false);
});
