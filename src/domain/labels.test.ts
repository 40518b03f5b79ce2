import { expect, test } from 'vitest';
import { MetadataChanges, mergeMetadata, SYSTEM_METADATA, Tags } from './labels.ts';

test('a change sets what it names, takes away what it sets to null, and leaves the rest', () => {
  expect(mergeMetadata({ a: 1, b: 2, source: 'huggingface' }, { b: null, c: { d: null } })).toEqual({
    a: 1,
    c: { d: null },
    source: 'huggingface',
  });
});

test('what the system keeps is refused by name, anything else is taken', () => {
  for (const field of SYSTEM_METADATA) {
    const parsed = MetadataChanges.safeParse({ [field]: 'x', mine: 1 });
    expect(parsed.error?.issues.map((issue) => issue.path)).toEqual([[field]]);
  }
  expect(MetadataChanges.safeParse({ class_prompt: 'a dog', deep: { er: [1] } }).success).toBe(true);
});

test('neither tags nor facts are without bounds', () => {
  expect(MetadataChanges.safeParse({ long: 'x'.repeat(16_000) }).success).toBe(false);
  expect(Tags.safeParse(Array.from({ length: 51 }, (_, at) => `t${at}`)).success).toBe(false);
  expect(Tags.safeParse(['x'.repeat(61)]).success).toBe(false);
  expect(Tags.safeParse(['a\nb']).success).toBe(false);
  expect(Tags.safeParse(Array.from({ length: 50 }, (_, at) => `t${at}`)).success).toBe(true);
});
