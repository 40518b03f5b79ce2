import { expect, test } from 'vitest';
import { waitedBetweenRuns } from './waited-between-runs.ts';

const at = (second: number) => second * 1000;
const history = (...moves: [to_status: string | null, second: number][]) =>
  moves.map(([to_status, second]) => ({ to_status, created_at: new Date(at(second)).toISOString() }));
const first = [
  ['queued', 0],
  ['initializing', 8],
  ['running', 10],
  [null, 20],
] as [string | null, number][];

test('a run without a pause waited for nothing, whatever it waited before its start', () => {
  expect(waitedBetweenRuns(history(...first, ['completed', 60]), at(10), at(60))).toBe(0);
  expect(waitedBetweenRuns([], at(10), at(60))).toBe(0);
});

test('what lies between two attempts is waited, be it paused or in the queue', () => {
  const twice = history(...first, ['queued', 40], ['initializing', 140], ['running', 145], ['queued', 160], ['running', 165]);
  expect(waitedBetweenRuns(twice, at(10), at(200))).toBe(at(105));
});

test('a pause that goes on waits up to the moment that is asked of, and so does one that ends in a cancel', () => {
  const paused = history(...first, ['queued', 40]);
  expect(waitedBetweenRuns(paused, at(10), at(40))).toBe(0);
  expect(waitedBetweenRuns(paused, at(10), at(100))).toBe(at(60));
  expect(waitedBetweenRuns(history(...first, ['queued', 40], ['cancelled', 100]), at(10), at(100))).toBe(at(60));
});
