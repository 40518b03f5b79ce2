import { describe, expect, test } from 'vitest';
import { PlainLine, PlainText, withoutUnseen } from './plain-text.ts';
import { ResourceName } from './training-spec.ts';

const UNSEEN: [what: string, character: string][] = [
  ['a control', '\u0007'],
  ['NUL', '\0'],
  ['a delete', '\u007f'],
  ['a C1 control', '\u0085'],
  ['an override of direction', '\u202e'],
  ['an isolate', '\u2066'],
  ['a mark of direction', '\u200f'],
  ['a zero width space', '\u200b'],
  ['a word joiner', '\u2060'],
  ['a byte order mark within', '\ufeff'],
  ['a soft hyphen', '\u00ad'],
  ['a line separator', '\u2028'],
  ['a Hangul filler', '\u3164'],
  ['a half-width filler', '\uffa0'],
  ['a grapheme joiner', '\u034f'],
  ['a Braille blank', '\u2800'],
  ['a selector of a variant', '\ufe01'],
  ['one of the last plane', '\u{e0101}'],
  ['a tag', '\u{e0041}'],
  ['private use', '\ue000'],
  ['half a pair', '\ud800'],
];

describe.each(UNSEEN)('%s', (_, character) => {
  test('stands in no name, no line and no text', () => {
    for (const schema of [ResourceName, PlainLine, PlainText]) expect(schema.safeParse(`a${character}b`).success).toBe(false);
    expect(withoutUnseen(`a${character}b`)).toBe('ab');
  });
});

test.each(['Questions', 'Ünïcödé', '日本語', 'עברית', 'नमस्ते', '❤️ 1️⃣', '😀', 'a’b “c” – …'])('%s is a name and a text', (text) => {
  for (const schema of [ResourceName, PlainLine, PlainText]) expect(schema.parse(text)).toBe(text);
});

test.each(['a\nb\r\n\tc', 'می‌خواهم', '👩‍🔬'])('%j is a text and no name', (text) => {
  expect(PlainText.parse(text)).toBe(text);
  expect(ResourceName.safeParse(text).success).toBe(false);
});
