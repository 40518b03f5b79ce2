import { expect, test } from 'vitest';
import { AppError, type Violation } from '#/domain/app-error.ts';
import { parseStrictJson } from './strict-json.ts';

function refusedWith(text: string): { message: string; details: Violation[] } {
  try {
    parseStrictJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was read');
}

test('what is wrong under a long name is told in 50 short rows, for the scan ends with the last that is told', () => {
  const faults = Array.from({ length: 20_000 }, () => '"":0').join(',');
  const { message, details } = refusedWith(`{"${'k'.repeat(100_000)}":{${faults}}}`);
  expect(details).toHaveLength(50);
  expect(new Set(details.map((row) => row.code))).toEqual(new Set(['duplicate_key']));
  expect(Math.max(...details.map((row) => row.path.length))).toBeLessThan(120);
  expect(message.length).toBeLessThan(1_000);
});

test('keys count as they stand there, also those that stand there twice', () => {
  const keys = [...Array.from({ length: 499 }, (_, i) => `"k${i}":0`), '"k0":0', '"k1":0'];
  const codes = refusedWith(`{${keys.join(',')}}`).details.map((row) => row.code);
  expect(codes).toEqual(['duplicate_key', 'duplicate_key', 'too_many_keys']);
});

test('a short name is told whole, with its way', () => {
  const { details } = refusedWith('{"config":{"steps":[{"at":1,"at":2}]}}');
  expect(details).toEqual([{ path: 'config.steps.0.at', message: 'stands there twice', code: 'duplicate_key' }]);
});
