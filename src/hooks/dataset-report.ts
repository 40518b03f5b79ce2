/** What a page shows of the inspector's report; the dataset's row keeps it under `statistics` and `sample_data`. */
import type { Dataset } from '#/contract/datasets.ts';
import type { DatasetReport } from '#/domain/dataset-report.ts';

/** Tokens a row: percentiles, and rows by doublings (more than half of `up_to`, at most `up_to`). */
export interface TokenLengths {
  p50: number;
  p95: number;
  p99: number;
  max: number;
  buckets: { up_to: number; rows: number }[];
}

type ShownReport = Pick<
  DatasetReport,
  'problem' | 'columns' | 'suggestion' | 'rows_total' | 'rows_valid' | 'rows_rejected' | 'rejected_by_code' | 'warnings'
> & {
  trained_tokens: number | null;
  tokens: TokenLengths | null;
  max_seq_length: number | null;
  rows_over_max_seq_length: number | null;
  duplicates: number | null;
};

/** A row as the model sees it; without a tokenizer `segments` is null and the messages are shown. */
export type DatasetSample = Dataset['sample_data'][number];

/** The report, or null while the dataset was not read, or could not be. */
export function reportOf(dataset: Pick<Dataset, 'modality' | 'statistics'>): ShownReport | null {
  return dataset.modality === 'text' && 'rows_total' in dataset.statistics
    ? (dataset.statistics as unknown as ShownReport)
    : null;
}
