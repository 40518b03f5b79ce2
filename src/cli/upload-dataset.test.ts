import { describe, expect, test } from 'vitest';
import { type DatasetReport, judgeDataset } from '#/domain/dataset-report.ts';
import { parseMapping, refusal } from './upload-dataset.ts';

const REPORT: DatasetReport = {
  ready: false,
  problem: null,
  format: null,
  container: 'jsonl',
  columns: [],
  suggestion: null,
  sha256: null,
  rows_total: 30,
  rows_valid: 27,
  rows_rejected: 3,
  rejected: [],
  rejected_by_code: {},
  lacking: {},
  avg_turns_per_conversation: null,
  total_tokens: null,
  avg_tokens_per_turn: null,
  samples: [],
  warnings: [],
  duplicates: 0,
};
const told = (report: DatasetReport) =>
  refusal({ file_name: 'rows.jsonl', validation_errors: judgeDataset(report, '').validation_errors })
    .split('\n')
    .slice(1);

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

  test('is told what to do in options of the command, not in fields of the API', () => {
    const report = { ...REPORT, problem: { code: 'rows_rejected', message: '3 of 30 rows break a rule.' } };
    expect(told(report)).toEqual([
      '  3 of 30 rows break a rule. Mend them and upload the file again, or use --skip-invalid to train on the other 27.',
    ]);
    const suggestion = { format: 'prompt_completion', mapping: { prompt: 'q', completion: 'a' } };
    expect(told({ ...report, problem: { code: 'unknown_shape', message: 'No form.' }, suggestion, rows_valid: 0 })).toEqual([
      '  No form. These columns look like prompt=q,completion=a: say so with --map.',
      expect.stringContaining('--map prompt='),
    ]);
  });

  test('as no JSON at all is not told of options that cannot help', () => {
    const problem = { code: 'type_mismatch', message: 'The file is a CSV table.' };
    expect(told({ ...REPORT, problem, rows_valid: 0, rows_total: 0 })).toEqual([
      '  The file is a CSV table. Mend the file and upload it again.',
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
