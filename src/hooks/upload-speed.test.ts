import { expect, test } from 'vitest';
import { UploadSpeed } from './upload-speed.ts';

test('speed is that of the last seconds, not of the whole upload', () => {
  const speed = new UploadSpeed();
  expect(speed.add(0, 0)).toBeNull();
  expect(speed.add(1_000, 1_000_000)).toBe(1_000_000);
  for (let at = 2_000; at <= 9_000; at += 1_000) speed.add(at, 1_000_000);
  expect(speed.add(10_000, 1_000_000)).toBe(0);
});
