import { describe, expect, it } from 'vitest';
import { type DatasetReport, judgeDataset, readDatasetReport } from './dataset-report.ts';

const SUM = 'a'.repeat(64);
const report = (fields: Partial<DatasetReport> = {}): DatasetReport => ({
  ready: true,
  problem: null,
  format: 'chat',
  container: 'jsonl',
  columns: ['messages'],
  suggestion: null,
  sha256: SUM,
  rows_total: 100,
  rows_valid: 100,
  rows_rejected: 0,
  rejected: [],
  rejected_by_code: {},
  lacking: {},
  avg_turns_per_conversation: 2,
  total_tokens: 5000,
  avg_tokens_per_turn: 25,
  samples: [{ line: 1 }],
  warnings: [],
  duplicates: 3,
  ...fields,
});
const broken = (fields: Partial<DatasetReport>) => judgeDataset(report({ ready: false, ...fields }), SUM).validation_errors[0];

describe('a sound dataset', () => {
  it('is ready, with the rows that are held out counted apart', () => {
    const verdict = judgeDataset(report(), SUM);
    expect(verdict).toMatchObject({
      status: 'ready',
      training_ready: true,
      num_samples: 100,
      total_training_pairs: 95,
      total_validation_pairs: 5,
      total_tokens: 5000,
      validation_errors: [],
      sample_data: [{ line: 1 }],
      statistics: { duplicates: 3, container: 'jsonl', num_splits: 2, splits: { train: { rows: 95 }, validation: { rows: 5 } } },
    });
    expect(verdict.statistics).not.toHaveProperty('samples');
  });

  it('of few rows holds none out', () => {
    expect(judgeDataset(report({ rows_valid: 3, rows_total: 3 }), SUM)).toMatchObject({
      status: 'ready',
      total_training_pairs: 3,
      total_validation_pairs: 0,
      statistics: { num_splits: 1, splits: { train: { rows: 3 } } },
    });
  });
});

describe('a broken dataset says what is wrong and the way out', () => {
  const row = { line: 3, code: 'invalid_json_line', message: 'Not JSON.', excerpt: '{' };
  const rejected = {
    problem: { code: 'rows_rejected', message: '1 of 100 rows break a rule.' },
    rejected: [row],
    rows_rejected: 1,
  };

  it('with rejected rows: how to leave them out, then the rows', () => {
    const verdict = judgeDataset(report({ ready: false, rows_valid: 99, ...rejected }), SUM);
    expect(verdict).toMatchObject({ status: 'error', training_ready: false });
    expect(verdict.validation_errors).toEqual([
      {
        line: null,
        code: 'rows_rejected',
        message: expect.stringContaining('set invalid_rows to skip to train on the other 99'),
        excerpt: '',
      },
      row,
    ]);
    expect(broken({ rows_valid: 0, ...rejected })?.message).not.toContain('skip');
  });

  it('with unknown columns: the mapping that they speak for', () => {
    const problem = { code: 'unknown_shape', message: 'The columns fit no form.' };
    const suggestion = { format: 'prompt_completion', mapping: { prompt: 'question', completion: 'answer' } };
    expect(broken({ problem, suggestion, format: null })?.message).toContain('prompt=question,completion=answer');
    expect(broken({ problem, format: null })?.message).toContain('e.g.');
  });

  it('with columns that no row has: what was said, and the mapping', () => {
    const problem = { code: 'no_valid_row', message: 'Not one row. The column q is missing.' };
    const suggestion = { format: 'prompt_completion', mapping: { prompt: 'question', completion: 'answer' } };
    const all = { problem, rows_valid: 0, rows_rejected: 100, rejected_by_code: { missing_field: 100 } };
    expect(broken({ ...all, lacking: { q: 100 }, suggestion })?.message).toBe(
      'Not one row. The column q is missing. These columns look like prompt=question,completion=answer: set that as the mapping.',
    );
    expect(broken({ ...all, lacking: { q: 100 } })?.message).toContain('Say which column holds what');
    expect(broken(all)?.message).toContain('Mend the file');
  });

  it('with another file than the one that was stored', () => {
    expect(judgeDataset(report(), 'b'.repeat(64))).toMatchObject({
      status: 'error',
      training_ready: false,
      validation_errors: [{ code: 'checksum_mismatch' }],
    });
  });
});

it('skipped rows are listed in a dataset that is ready', () => {
  const row = { line: 3, code: 'empty', message: 'Empty.', excerpt: '' };
  expect(judgeDataset(report({ rejected: [row], rows_rejected: 1, rows_valid: 99 }), SUM)).toMatchObject({
    status: 'ready',
    validation_errors: [row],
  });
});

it.each(['', '{', '[]', '{"ready": true}', JSON.stringify(report({ rows_total: -1 }))])('%j is no report', (text) => {
  expect(readDatasetReport(text)).toBeNull();
});

it('a report is read as it was written', () => {
  expect(readDatasetReport(JSON.stringify(report()))).toEqual(report());
});
