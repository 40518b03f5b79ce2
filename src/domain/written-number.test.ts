import { expect, test } from 'vitest';
import { written } from './written-number.ts';

test('a setting is written as it is typed', () => {
  expect([5e-5, 1e-4, 1e-2, 0.05, 0.1, 0, 16].map(written)).toEqual(['5e-5', '1e-4', '1e-2', '0.05', '0.1', '0', '16']);
});
