/** A worker's hold on one dataset's import: taken, kept, and settled under its number. */
import { eq } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { transfers } from '#/db/schema/transfers.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import type { TransferStatus } from '#/domain/transfer-state.ts';
import { checkDisk, reserveQuota } from '#/services/storage/reserve-space.ts';
import { type StoredFile, storageKey } from '#/storage/storage.ts';
import type { PinnedListing } from './model-transfers.ts';
import { transferClaims } from './transfer-claims.ts';
import type { TransferRow } from './transfer-row.ts';
import { transitionTransfer } from './transition-transfer.ts';

export const importClaims = transferClaims(
  'dataset',
  'the worker ended several times while it fetched this dataset; see its log, then import it again',
);

/** What was fetched, its rows in one file, and the stored one made of it lie on the disk at the same time. */
const COPIES = 3;

/** What of a repository was taken. */
export interface ImportedRows {
  config: string | null;
  split: string | null;
  /** The first of its files, as the repository names them. */
  paths: string[];
}

/** Pins the commit and reserves the bytes. Throws `quota_exceeded`, `storage_full` and `fenced`. */
export function pinImport(transfer: TransferRow, pinned: PinnedListing): Promise<void> {
  return asScheduler(async (tx) => {
    await checkDisk(pinned.bytes_total * COPIES);
    // What an earlier attempt reserved is reserved still.
    if (transfer.bytes_total !== pinned.bytes_total)
      await reserveQuota(tx, transfer.user_id, pinned.bytes_total, DATASET_BYTES_MAX);
    // One write: a second to the same row would look for its user again, which a deletion of the user may hold.
    await importClaims.keep(tx, transfer, pinned);
  });
}

/**
 * The rows are stored: the dataset stands, waiting for the check that every upload gets. It has the transfer's id, so that a
 * kill between storing and recording is mended by doing both again. Throws `fenced`.
 */
export function finishImport(transfer: TransferRow, pinned: PinnedListing, file: StoredFile, rows: ImportedRows): Promise<void> {
  const { id, user_id, hf_repo_id, options } = transfer;
  const repository = hf_repo_id.split('/').pop() ?? hf_repo_id;
  const [path] = rows.paths;
  return asScheduler(async (tx) => {
    await importClaims.keep(tx, transfer);
    await tx.insert(datasets).values({
      id,
      user_id,
      name: transfer.name ?? hf_repo_id,
      description: options.description ?? '',
      file_name: pinned.files === 1 && path !== undefined ? (path.split('/').pop() ?? path) : `${repository}.jsonl`,
      mapping: options.mapping ?? {},
      invalid_rows: options.invalid_rows ?? 'refuse',
      status: 'validating',
      storage_path: storageKey(user_id, id),
      file_size: file.bytes,
      checksum: file.sha256,
      metadata: {
        source: 'huggingface',
        hf_repo_id,
        hf_requested_revision: transfer.hf_requested_revision,
        hf_revision: pinned.hf_revision,
        hf_config: rows.config,
        hf_split: rows.split,
        hf_files: rows.paths,
        requested_format: options.format ?? 'auto',
      },
    });
    const brought = { dataset_id: id, bytes_done: pinned.bytes_total };
    await transitionTransfer(tx, transfer, { type: 'completed', brought });
  });
}

/** What became of an import that was lost; null when its row is gone, with its user. */
export async function readImportStatus(id: string): Promise<TransferStatus | null> {
  const [row] = await asScheduler((tx) => tx.select({ status: transfers.status }).from(transfers).where(eq(transfers.id, id)));
  return row?.status ?? null;
}
