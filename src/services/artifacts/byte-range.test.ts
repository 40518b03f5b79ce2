import { expect, test } from 'vitest';
import { readRange } from './byte-range.ts';

test.each<[string | undefined, number, ReturnType<typeof readRange>]>([
  [undefined, 10, null],
  ['', 10, null],
  ['bytes=0-0', 10, { first: 0, last: 0 }],
  ['bytes=2-4', 10, { first: 2, last: 4 }],
  ['bytes=9-', 10, { first: 9, last: 9 }],
  ['bytes=0-', 10, { first: 0, last: 9 }],
  ['bytes=5-500', 10, { first: 5, last: 9 }],
  ['bytes=-3', 10, { first: 7, last: 9 }],
  ['bytes=-500', 10, { first: 0, last: 9 }],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=99-100', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=4-2', 10, null],
  ['bytes=-', 10, null],
  ['bytes=0-1,4-5', 10, null],
  ['items=0-1', 10, null],
  ['bytes=a-b', 10, null],
  ['bytes=1e3-', 10, null],
  ['bytes=-1-2', 10, null],
])('Range %j of %i bytes is %j', (header, bytes, expected) => {
  expect(readRange(header, bytes)).toEqual(expected);
});
