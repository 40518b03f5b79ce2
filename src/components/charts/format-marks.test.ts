import { expect, test } from 'vitest';
import { formatMarks } from './format-marks.ts';

test('the marks of one axis have the same digits, and no more than they need', () => {
  expect(formatMarks([1, 1.5, 2])).toEqual(['1.0', '1.5', '2.0']);
  expect(formatMarks([0, 2, 4])).toEqual(['0', '2', '4']);
  expect(formatMarks([0.1 + 0.2, null, 0.25])).toEqual(['0.30', '', '0.25']);
  expect(formatMarks([0.0001, 0.0002])).toEqual(['1.0e-4', '2.0e-4']);
});
