import { expect, test } from 'vitest';
import { logSplits } from './log-splits.ts';

test('many decades get one value each, one decade gets several', () => {
  expect(logSplits(0.001, 10)).toEqual([0.001, 0.01, 0.1, 1, 10]);
  expect(logSplits(0.9, 4)).toEqual([1, 1.5, 2, 3]);
});

test('a range within which no round value of the decade lies gets even marks', () => {
  expect(logSplits(2.51, 2.59)).toEqual([2.52, 2.54, 2.56, 2.58]);
  expect(logSplits(0.925, 1.48)).toEqual([1, 1.1, 1.2, 1.3, 1.4]);
});
