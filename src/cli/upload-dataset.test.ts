import { describe, expect, test } from 'vitest';
import { parseMapping, refusal } from './upload-dataset.ts';

const row = (line: number | null, message: string) => ({ line, code: 'missing_field', message, excerpt: '' });

describe('a file that is refused', () => {
  test('is told by what concerns all of it, then by its rows, those of one rule together', () => {
    const missing = "The field 'q' (mapped to 'prompt') is missing.";
    const whole = "Not one row. The column 'q' is missing in 7 of 7 rows. The file has the columns question, answer.";
    const errors = [row(null, whole), ...[1, 2, 3, 4, 5, 7].map((line) => row(line, missing)), row(6, 'Not JSON.')];
    expect(refusal({ file_name: 'rows.jsonl', validation_errors: errors }).split('\n')).toEqual([
      'rows.jsonl cannot be trained on:',
      `  ${whole}`,
      `  lines 1, 2, 3, 4, 5, …: ${missing}`,
      '  line 6: Not JSON.',
      expect.stringContaining('--map prompt='),
    ]);
  });

  test('breaks at most ten rules on a terminal', () => {
    const errors = Array.from({ length: 13 }, (_, at) => row(at + 1, `Rule ${at}.`));
    const told = refusal({ file_name: 'rows.jsonl', validation_errors: errors }).split('\n');
    expect(told).toHaveLength(13);
    expect(told[11]).toBe('  and 3 more: see its report in the studio');
  });
});

describe('a mapping', () => {
  test('is read pair by pair', () => {
    expect(parseMapping('prompt=question, completion = answer')).toEqual({ prompt: 'question', completion: 'answer' });
    expect(parseMapping(undefined)).toEqual({});
  });

  test.each(['prompt', '=question', 'prompt='])('%s is refused with the way to write it', (text) => {
    expect(() => parseMapping(text)).toThrow('write field=column');
  });
});
