import { expect, test } from 'vitest';
import { formatBytes, GB } from './bytes.ts';

test('sizes are decimal and never show four digits before the unit changes', () => {
  expect([0, 999, 1000, 16_384, 9_994_999, 999_600, 123_456_789, 5 * GB, 12.34 * GB].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '16.4 kB',
    '9.99 MB',
    '1.00 MB',
    '123 MB',
    '5 GB',
    '12.3 GB',
  ]);
});
