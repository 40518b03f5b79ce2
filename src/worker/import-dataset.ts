import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#/domain/app-error.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import type { FetchListing } from '#/domain/hub-fetch.ts';
import { env } from '#/env.ts';
import { DATASET_FILE } from '#/services/datasets/dataset-row.ts';
import { openHubToken } from '#/services/transfers/hub-token.ts';
import { finishImport, type ImportedRows, importClaims, pinImport, readImportStatus } from '#/services/transfers/import-claim.ts';
import type { PinnedListing } from '#/services/transfers/model-transfers.ts';
import type { TransferRow } from '#/services/transfers/transfer-row.ts';
import { storage } from '#/storage/connect-storage.ts';
import { FetchFailure, fetchFromHub } from './hub-fetch.ts';
import { keepClaim } from './keep-claim.ts';
import { isAway } from './patience.ts';

/** The one file that a fetch of a dataset makes of what it brought; see trainer/lora_trainer/hub_dataset.py. */
const ROWS_FILE = 'data';

interface Brought {
  pinned: PinnedListing;
  rows: ImportedRows;
}

/**
 * Imports the oldest dataset of the Hub that waits for it; true when there was one. It ends as a dataset that waits for its
 * check, like an upload. One that cannot be had fails with its reason; of one that is cancelled nothing stays. Killed at any
 * moment, the next call goes on with what is there.
 */
export async function importNextDataset(signal?: AbortSignal): Promise<boolean> {
  const transfer = await importClaims.claim();
  if (transfer === null) return false;
  const kept = keepClaim(async (progress) => {
    await importClaims.renew(transfer, progress);
    return true;
  });
  const ended = AbortSignal.any(signal === undefined ? [kept.lost] : [kept.lost, signal]);
  try {
    const brought = await bring(transfer, ended, kept.note);
    if (brought !== null) await land(transfer, brought);
    else if (kept.lost.aborted) await tidy(transfer);
    // The worker stops: nothing else ends a fetch without its rows or a reason.
    else await importClaims.release(transfer).catch(() => undefined);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) {
      kept.stop();
      // What is away costs the transfer none of its tries.
      if (isAway(error)) await importClaims.release(transfer).catch(() => undefined);
      throw error;
    }
    if (reason !== 'fenced') await importClaims.fail(transfer, reason).catch(ignoreFenced);
    await tidy(transfer);
  } finally {
    kept.stop();
  }
  return true;
}

function ignoreFenced(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'fenced')) throw error;
}

/** What an error says to whoever asked; null for one that says nothing to them. */
function reasonOf(error: unknown): { code: string; message: string } | 'fenced' | null {
  if (error instanceof FetchFailure) return { code: error.code, message: error.message };
  if (!(error instanceof AppError)) return null;
  if (error.code === 'fenced') return 'fenced';
  if (error.code === 'not_ready') return { code: 'internal', message: error.message };
  if (error.code === 'storage_full') return { code: 'disk_full', message: error.message };
  if (error.code === 'quota_exceeded' || error.code === 'payload_too_large') return { code: 'too_large', message: error.message };
  return null;
}

/** Brings the rows into the transfer's staging folder; null when `signal` ended that. */
async function bring(transfer: TransferRow, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Brought | null> {
  const { config, split, file } = transfer.options;
  const listing = await fetchFromHub({
    kind: 'dataset',
    hf_repo_id: transfer.hf_repo_id,
    revision: transfer.hf_revision ?? transfer.hf_requested_revision,
    into: await storage().stagingFolder(stagingName(transfer)),
    bytes_max: DATASET_BYTES_MAX,
    // One word each: a name may begin like an option.
    choose: Object.entries({ config, split, file }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
    token: (await openHubToken(transfer)) ?? env.HF_TOKEN,
    signal,
    onListing: (told) => pinImport(transfer, pinnedOf(told)),
    onBytes,
  });
  if (listing === null) return null;
  const rows = { config: listing.config ?? null, split: listing.split ?? null, paths: listing.paths ?? [] };
  return { pinned: pinnedOf(listing), rows };
}

const pinnedOf = ({ commit, bytes, files }: FetchListing): PinnedListing => ({
  hf_revision: commit,
  bytes_total: bytes,
  files,
});

/** Stores the rows as an upload's file is, and records the dataset. */
async function land(transfer: TransferRow, { pinned, rows }: Brought): Promise<void> {
  const { id, user_id } = transfer;
  const path = join(await storage().stagingFolder(stagingName(transfer)), ROWS_FILE);
  await importClaims.renew(transfer, null);
  // Stored by an attempt that was never recorded: its place is free.
  await storage().remove(user_id, id);
  const stored = await storage().receive(user_id, id, DATASET_FILE, createReadStream(path), DATASET_BYTES_MAX);
  if (stored.bytes === 0) throw new FetchFailure('data_files_missing', 'its files hold no rows');
  await finishImport(transfer, pinned, stored, rows);
  await storage().removeStaging(stagingName(transfer));
}

/** Removes what an import left that did not become a dataset and that no worker goes on with. */
async function tidy(transfer: TransferRow): Promise<void> {
  const status = await readImportStatus(transfer.id);
  if (status === 'pending' || status === 'running' || status === 'completed') return;
  await storage().removeStaging(stagingName(transfer));
  await storage().remove(transfer.user_id, transfer.id);
}

function stagingName(transfer: TransferRow): string {
  return `transfer-${transfer.id}`;
}
