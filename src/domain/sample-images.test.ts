import { expect, test } from 'vitest';
import { smallPng } from '../../test/png.ts';
import { isPngOf, PNG_HEAD_BYTES, PNG_TAIL_BYTES } from './sample-images.ts';

const isPng = (file: Uint8Array, width = 3, height = 2) =>
  isPngOf(file.subarray(0, PNG_HEAD_BYTES), file.subarray(-PNG_TAIL_BYTES), { width, height });

test('a picture is a PNG from its first byte to its last, of the sides that were told', () => {
  const png = smallPng(3, 2);
  expect(isPng(png)).toBe(true);
  expect([isPng(png, 2, 3), isPng(png, 3, 3)]).toEqual([false, false]);
  const changed = (at: number) => png.map((byte, place) => (place === (at + png.length) % png.length ? byte ^ 1 : byte));
  for (const at of [0, 3, 11, 12, 15, 19, 23, -1, -8]) expect([at, isPng(changed(at))]).toEqual([at, false]);
  expect(isPng(Buffer.concat([png, Buffer.from('<script>')]))).toBe(false);
  expect(isPng(png.subarray(0, PNG_HEAD_BYTES - 1))).toBe(false);
  expect(isPng(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBe(false);
});

test('a picture that is too wide to be shown is none, whatever its bytes say', () => {
  expect(isPng(smallPng(4096, 1), 4096, 1)).toBe(true);
  expect(isPng(smallPng(4097, 1), 4097, 1)).toBe(false);
});
