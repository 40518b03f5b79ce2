import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toCents } from './money.ts';

test.each([
  [0, 0],
  [0.004, 0],
  [0.005, 0.01],
  [1.005, 1.01],
  [8.399999999999999, 8.4],
  [2.675, 2.68],
  [1234567.891, 1234567.89],
])('%f is %f', (usd, cents) => {
  expect(toCents(usd)).toBe(cents);
});

test('money has two decimals, is off by half a cent at most, and rounding it again changes nothing', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (usd) => {
      const rounded = toCents(usd);
      expect(Math.abs(rounded - usd)).toBeLessThanOrEqual(0.005 + 1e-6);
      expect(toCents(rounded)).toBe(rounded);
      expect(String(rounded)).toMatch(/^\d+(\.\d{1,2})?$/);
    }),
  );
});
