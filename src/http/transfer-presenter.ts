import type { Transfer } from '#/contract/transfers.ts';
import { transferEta } from '#/domain/transfer-state.ts';
import type { TransferRow } from '#/services/transfers/transfer-row.ts';

const instant = (at: Date | null): string | null => at?.toISOString() ?? null;

export function presentTransfer(row: TransferRow): Transfer {
  const { bytes_done, bytes_total, bytes_per_second, error_code } = row;
  return {
    id: row.id,
    kind: row.kind,
    direction: row.direction,
    name: row.name,
    hf_repo_id: row.hf_repo_id,
    revision: row.hf_requested_revision,
    commit: row.hf_revision,
    config: row.options.config ?? null,
    split: row.options.split ?? null,
    file: row.options.file ?? null,
    status: row.status,
    bytes_done,
    bytes_total,
    files: row.files,
    bytes_per_second,
    eta_seconds: row.status === 'running' ? transferEta(bytes_done, bytes_total, bytes_per_second) : null,
    error: error_code === null ? null : { code: error_code, message: row.error_message ?? error_code },
    base_model_id: row.base_model_id,
    dataset_id: row.dataset_id,
    artifact_id: row.artifact_id,
    created_at: row.created_at.toISOString(),
    started_at: instant(row.started_at),
    completed_at: instant(row.completed_at),
    updated_at: row.updated_at.toISOString(),
  };
}
