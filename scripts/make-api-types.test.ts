import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { API_TYPES_FILE, apiTypes } from './make-api-types.ts';

test("the committed client types are what today's route declarations make", async () => {
  expect(await readFile(API_TYPES_FILE, 'utf8')).toBe(await apiTypes());
});
