import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { trainerSchemas } from './make-trainer-schema.ts';

test.each(Object.entries(trainerSchemas))('the committed %s is what the domain generates', (name, content) => {
  expect(readFileSync(new URL(`../trainer/schema/${name}`, import.meta.url), 'utf8')).toBe(content);
});
