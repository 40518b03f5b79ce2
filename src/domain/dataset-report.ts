/** What `python -m lora_trainer.inspect` reports on a dataset, and what it means for the dataset's row. */
import * as z from 'zod';
import { heldOutRows } from './planner.ts';
import { parseStorable } from './storable-text.ts';
import { DATASET_CONTAINERS, DATASET_SHAPES } from './trainer-config.ts';

const count = z.int().min(0);
export const REJECTED_MAX = 100;

export const RejectedRow = z.object({
  /** In a JSON array the place of the element; null for what concerns the whole file. */
  line: z.int().min(1).nullable(),
  /** Of a dataset of images: the file, by the name that it came with. */
  file: z.string().max(400).optional(),
  code: z.string().max(100),
  message: z.string().max(1000),
  excerpt: z.string().max(400),
});
export type RejectedRow = z.infer<typeof RejectedRow>;

/** Something of a file that is worth knowing. */
export const ImageFinding = z.object({
  file: z.string().min(1).max(400),
  code: z.string().max(100),
  message: z.string().max(1000),
});
export type ImageFinding = z.infer<typeof ImageFinding>;

const Report = z.looseObject({
  ready: z.boolean(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  format: z.enum(DATASET_SHAPES).nullable(),
  container: z.enum(DATASET_CONTAINERS).nullable(),
  columns: z.array(z.string()).max(100),
  suggestion: z.object({ format: z.string(), mapping: z.record(z.string(), z.string()) }).nullable(),
  sha256: z.string().nullable(),
  rows_total: count,
  rows_valid: count,
  rows_rejected: count,
  rejected: z.array(RejectedRow).max(REJECTED_MAX),
  rejected_by_code: z.record(z.string(), count),
  /** Rows that were refused for want of a column, by that column. */
  lacking: z.record(z.string(), count).default({}),
  avg_turns_per_conversation: z.number().nullable(),
  total_tokens: count.nullable(),
  avg_tokens_per_turn: z.number().nullable(),
  samples: z.array(z.unknown()).max(20),
  warnings: z.array(z.object({ code: z.string(), count, message: z.string() })).max(100),
});
/** The inspector's report; fields that only the page shows pass through as they are. */
export type DatasetReport = z.infer<typeof Report>;

/** The report in a file's text, or null when it is none; its row can be stored whatever texts the dataset has. */
export function readDatasetReport(text: string): DatasetReport | null {
  try {
    return Report.safeParse(parseStorable(text)).data ?? null;
  } catch {
    return null;
  }
}

/** What a check found out, as the dataset's row has it. */
export interface DatasetVerdict {
  status: 'ready' | 'error';
  format: string | null;
  num_samples: number;
  total_training_pairs: number | null;
  total_validation_pairs: number | null;
  total_tokens: number | null;
  avg_turns_per_conversation: number | null;
  avg_tokens_per_turn: number | null;
  training_ready: boolean;
  validation_errors: RejectedRow[];
  findings: ImageFinding[];
  statistics: Record<string, unknown>;
  sample_data: unknown[];
}

/** Why a file is refused whose bytes are not those that were uploaded. */
export const FILE_CHANGED = {
  code: 'checksum_mismatch',
  message: 'The stored file is not the one that was uploaded: upload it again.',
};

/** Turns a report into the row's columns. `checksum` is the sum that the file had when it was stored. */
export function judgeDataset(report: DatasetReport, checksum: string): DatasetVerdict {
  // An unreadable file is not hashed to its end; one that was must be the one that was stored.
  if (report.sha256 !== null && report.sha256 !== checksum) return withoutReport(FILE_CHANGED);
  const { rejected, samples, ...statistics } = report;
  const held_out = heldOutRows(report.rows_valid);
  const pairs = report.rows_valid - held_out;
  const ready = report.ready && pairs > 0;
  return {
    status: ready ? 'ready' : 'error',
    format: report.format,
    num_samples: report.rows_total,
    total_training_pairs: pairs,
    total_validation_pairs: held_out,
    total_tokens: report.total_tokens,
    avg_turns_per_conversation: report.avg_turns_per_conversation,
    avg_tokens_per_turn: report.avg_tokens_per_turn,
    training_ready: ready,
    validation_errors: [...(ready ? [] : [wholeFile(report)]), ...rejected],
    findings: [],
    statistics: { ...statistics, num_splits: held_out > 0 ? 2 : 1, splits: splitsOf(pairs, held_out) },
    sample_data: samples,
  };
}

function splitsOf(train: number, validation: number): Record<string, { rows: number }> {
  return validation > 0 ? { train: { rows: train }, validation: { rows: validation } } : { train: { rows: train } };
}

/** The verdict on a file that could not be reported on. */
export function withoutReport(problem: { code: string; message: string }): DatasetVerdict {
  return {
    status: 'error',
    format: null,
    num_samples: 0,
    total_training_pairs: null,
    total_validation_pairs: null,
    total_tokens: null,
    avg_turns_per_conversation: null,
    avg_tokens_per_turn: null,
    training_ready: false,
    validation_errors: [{ line: null, ...problem, excerpt: '' }],
    findings: [],
    statistics: {},
    sample_data: [],
  };
}

/** What to do about a file, in the words of the API; the command line says it with its options. */
export const WAYS_OUT = { skip: 'set invalid_rows to skip', map: 'set that as the mapping' } as const;

/** What is wrong with the file as a whole, with the way out. */
function wholeFile(report: DatasetReport): RejectedRow {
  const problem = report.problem ?? { code: 'no_valid_row', message: 'Not one row of the file can be used.' };
  return { line: null, code: problem.code, message: [problem.message, wayOut(problem.code, report)].join(' '), excerpt: '' };
}

function wayOut(code: string, report: DatasetReport): string {
  const unmapped = report.rows_valid === 0 && Object.keys(report.lacking).length > 0;
  if (code === 'unknown_shape' || (code === 'no_valid_row' && unmapped)) return mappingOut(report.suggestion);
  if (code === 'rows_rejected') {
    return report.rows_valid > 0
      ? `Mend them and upload the file again, or ${WAYS_OUT.skip} to train on the other ${report.rows_valid}.`
      : 'Mend them and upload the file again.';
  }
  return 'Mend the file and upload it again.';
}

function mappingOut(suggestion: DatasetReport['suggestion']): string {
  if (suggestion === null) return 'Say which column holds what, e.g. prompt=question,completion=answer.';
  const pairs = Object.entries(suggestion.mapping).map(([field, column]) => `${field}=${column}`);
  return `These columns look like ${pairs.join(',')}: ${WAYS_OUT.map}.`;
}
