import type { Dataset, DatasetSummary, ListedDataset as ListedDatasetBody } from '#/contract/datasets.ts';
import { BUCKETS } from '#/domain/buckets.ts';
import { type JudgedModel, judgeCompatibility } from '#/domain/dataset-compatibility.ts';
import type { DatasetRow } from '#/services/datasets/dataset-row.ts';
import type { ListedDataset } from '#/services/datasets/list-datasets.ts';

const REPORT_FIELDS = [
  'rows_total',
  'rows_valid',
  'rows_rejected',
  'rejected_by_code',
  'warnings',
  'problem',
  'suggestion',
] as const;

/** A dataset as lists have it. */
export function presentDatasetSummary(row: ListedDataset): DatasetSummary {
  const checked = row.validated_at !== null;
  return {
    id: row.id,
    project_id: row.project_id,
    name: row.name,
    version: row.version,
    description: row.description,
    modality: row.modality,
    status: row.status,
    format: row.format,
    mapping: row.mapping,
    invalid_rows: row.invalid_rows,
    file_name: row.file_name,
    file_size: row.file_size,
    size_bytes: row.file_size,
    checksum: row.checksum,
    storage_bucket: BUCKETS.datasets.name,
    storage_path: row.storage_path,
    manifest_path: null,
    num_samples: row.num_samples,
    total_training_pairs: row.total_training_pairs,
    total_validation_pairs: row.total_validation_pairs,
    total_tokens: row.total_tokens,
    avg_turns_per_conversation: row.avg_turns_per_conversation,
    avg_tokens_per_turn: row.avg_tokens_per_turn,
    training_ready: row.training_ready,
    check_progress: row.check_total === null ? null : { done: row.check_done ?? 0, of: row.check_total },
    validated_at: row.validated_at?.toISOString() ?? null,
    integrity_checked: checked,
    integrity_passed: checked && row.status === 'ready',
    integrity_report: checked ? Object.fromEntries(REPORT_FIELDS.map((field) => [field, row.statistics[field] ?? null])) : null,
    statistics: row.statistics,
    tags: row.tags,
    metadata: row.metadata,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** One dataset with its report. */
export function presentDataset(row: DatasetRow): Dataset {
  return {
    ...presentDatasetSummary(row),
    // Both were parsed by the report's schema when they were written.
    validation_errors: row.validation_errors as Dataset['validation_errors'],
    findings: row.findings as Dataset['findings'],
    sample_data: row.sample_data as Dataset['sample_data'],
  };
}

/** A dataset of a list, judged by the model that was asked about. */
export function presentListedDataset(row: ListedDataset, model: JudgedModel | null): ListedDatasetBody {
  return { ...presentDatasetSummary(row), ...(model !== null && { compatibility: judgeCompatibility(row, model) }) };
}
