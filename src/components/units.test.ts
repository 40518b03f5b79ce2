import { expect, test } from 'vitest';
import { formatDuration, formatFigure, formatOf, formatRelative, formatShare } from './units.ts';

test('durations carry over at every border', () => {
  expect([0, 59_400, 59_600, 3_599_600, 86_390_000, 86_400_000 * 2 + 3_600_000 * 4].map(formatDuration)).toEqual([
    '0 s',
    '59 s',
    '1 min 00 s',
    '1 h 00 min',
    '1 day 0 h',
    '2 days 4 h',
  ]);
});

test('an instant is told from now, before and after', () => {
  const now = 1_000_000_000;
  expect(
    [-3_000, -45_000, -3_000_000, 7_200_000, -3_590_000, -86_300_000, -86_400_000, 604_799_000].map((ms) =>
      formatRelative(now + ms, now),
    ),
  ).toEqual(['just now', '45 s ago', '50 min ago', 'in 2 h', '1 h ago', '1 day ago', '1 day ago', 'in 7 days']);
});

test('figures keep what tells two losses apart', () => {
  expect([0, 0.00012, 0.0123, 1.23456, 12.3456, 123.456, 1e6].map(formatFigure)).toEqual([
    '0.0000',
    '1.20e-4',
    '0.0123',
    '1.235',
    '12.35',
    '123.5',
    '1.00e6',
  ]);
});

test('small shares keep a digit, and one is one', () => {
  expect([0, 0.004, 0.5, 1].map(formatShare)).toEqual(['0 %', '0.4 %', '50 %', '100 %']);
  expect([formatOf(1, 'row'), formatOf(1200, 'row'), formatOf(2, 'entry', 'entries')]).toEqual([
    '1 row',
    '1,200 rows',
    '2 entries',
  ]);
});
