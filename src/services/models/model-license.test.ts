import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { licenseOfCard } from './model-license.ts';

const card = (front: string, end = '---\n# A model\n') => `---\n${front}\n${end}`;

describe('the licence of a model card', () => {
  test.each([
    ['license: apache-2.0', 'apache-2.0'],
    ['language: en\nlicense: "cc-by-nc-4.0"\ntags:\n- x', 'cc-by-nc-4.0'],
    ['license:\n- mit\n- apache-2.0', 'mit, apache-2.0'],
    ['license: other\nlicense_name: llama3\nlicense_link: https://example.org', 'other (llama3)'],
    ['license: other', 'other'],
    ['license: no', 'no'],
    ['license: 1.0', '1.0'],
    ['license: "mit\\u0000\\u202E\\u0007\\n  really"', 'mit really'],
    ['license: "\\ud800x"', 'x'],
    [`license: ${'x'.repeat(60_000)}`, 'x'.repeat(100)],
    ['license: !!js/function "function(){}"', 'function(){}'],
  ])('%# is read as its front matter says it', (front, license) => {
    expect(licenseOfCard(card(front))).toBe(license);
  });

  test.each([
    ['# No front matter\nlicense: mit'],
    ['---\nlicense: mit\n# never ended'],
    [card('language: en')],
    [card('license: unknown')],
    [card('license: ""')],
    [card('license: {name: mit}')],
    [card('license: [[mit]]')],
    [card('- license')],
    [card('license: mit\nlicense: gpl')],
    [card('license: mit\nbroken: [')],
    [card('a: &a [x, x]\nb: &b [*a, *a]\nlicense: *b')],
    [card(`license: mit\nx: ${'['.repeat(50_000)}`)],
    [card(`license: mit\nx: ${'{a: '.repeat(12_000)}`)],
    ['\u0000\u0001'],
  ])('%# is not known where none is named, or by no YAML', (text) => {
    expect(licenseOfCard(text)).toBeNull();
  });

  test('is a short line of plain text or nothing, whatever the card', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('license: ', '- ', '---', '\n', '  ', 'x: [', '"', '&a', '*a'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const license = licenseOfCard(card(lines.join('')));
        if (license !== null) expect(license).toMatch(/^[^\p{C}\n]{1,100}$/u);
      }),
      { numRuns: 500 },
    );
  });
});
