/** A worker's hold on one dataset that is to be checked: taken, kept, and settled under its number. */
import { and, eq, sql } from 'drizzle-orm';
import { datasetImages, datasets } from '#/db/schema/datasets.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { type DatasetVerdict, withoutReport } from '#/domain/dataset-report.ts';
import type { CheckedImage } from '#/domain/image-report.ts';
import { findDefaultBaseModel } from '#/services/models/find-default-base-model.ts';
import { announce } from '#/services/notifications/announce.ts';
import { lockQuota, storageUsage } from '#/services/storage/reserve-space.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import type { DatasetRow } from './dataset-row.ts';
import { tellImported } from './tell-imported.ts';

/** How long a claim is believed without renewal. */
export const CHECK_LEASE_S = 30;
const claims = workClaims(datasets, sql`status = 'validating' AND deleted_at IS NULL`, CHECK_LEASE_S, 'user_id');

export interface CheckClaim {
  dataset: DatasetRow;
  /** The base model that its owner trains when none is named: its tokenizer counts. */
  base_model_id: string | null;
}

/** Takes the oldest dataset that waits for its check, or whose checker went silent; null when there is none. */
export async function claimDatasetCheck(): Promise<CheckClaim | null> {
  const claim = await asScheduler(async (tx) => {
    const dataset = await claims.take(tx);
    return dataset === null ? null : { dataset, base_model_id: await findDefaultBaseModel(tx, dataset.user_id) };
  });
  if (claim === null || claim.dataset.attempts <= CLAIM_ATTEMPTS_MAX) return claim;
  const message =
    'The check of this file ended several times without a result: upload it again, in smaller parts if it is large.';
  await finishDatasetCheck(claim.dataset, withoutReport({ code: 'check_failed', message }));
  return claimDatasetCheck();
}

export const renewDatasetCheck = (dataset: DatasetRow) => claims.renew(dataset);
export const releaseDatasetCheck = (dataset: DatasetRow) => claims.release(dataset);

/** Keeps the claim, and notes how far the check is. Throws `fenced`. */
export const noteCheckProgress = (dataset: DatasetRow, { done, of }: { done: number; of: number }) =>
  asScheduler((tx) => claims.keep(tx, dataset, { check_done: done, check_total: of }));

/**
 * Counts what a check wrote among its owner's files before it is stored; false where it does not fit into the quota. Throws
 * `fenced`.
 */
export function reserveCheckedBytes(dataset: DatasetRow, bytes: number): Promise<boolean> {
  return asScheduler(async (tx) => {
    await lockQuota(tx, dataset.user_id);
    const usage = await storageUsage(tx, dataset.user_id);
    if (usage.bytes - dataset.file_size + bytes > usage.quota_bytes) return false;
    await claims.keep(tx, dataset, { file_size: Math.max(bytes, dataset.file_size) });
    return true;
  });
}

/** The images of a dataset as its check wrote them. */
export interface CheckedImages {
  /** Of the archive that is trained from. */
  checksum: string;
  /** Of archive and thumbnails together. */
  bytes: number;
  images: CheckedImage[];
}

const ROWS_AT_ONCE = 500;

async function replaceImages(tx: Tx, { id: dataset_id, user_id }: DatasetRow, images: CheckedImage[]): Promise<void> {
  await tx.delete(datasetImages).where(and(eq(datasetImages.user_id, user_id), eq(datasetImages.dataset_id, dataset_id)));
  for (let at = 0; at < images.length; at += ROWS_AT_ONCE) {
    const rows = images.slice(at, at + ROWS_AT_ONCE).map((image) => ({ dataset_id, user_id, ...image }));
    await tx.insert(datasetImages).values(rows);
  }
}

/** Stores what a check found, with its notification, in one transaction. Throws `fenced`. */
export async function finishDatasetCheck(dataset: DatasetRow, verdict: DatasetVerdict, kept?: CheckedImages): Promise<void> {
  await asScheduler(async (tx) => {
    await claims.write(tx, dataset, {
      ...verdict,
      validated_at: sql`now()`,
      lease_until: null,
      attempts: 0,
      check_done: null,
      check_total: null,
      ...(kept !== undefined && {
        checksum: kept.checksum,
        received_checksum: dataset.checksum,
        file_size: kept.bytes,
      }),
    });
    if (kept !== undefined) await replaceImages(tx, dataset, kept.images);
    await tellImported(tx, dataset, verdict);
    const ready = verdict.status === 'ready';
    const reason = verdict.validation_errors[0]?.message ?? '';
    const pairs = verdict.total_training_pairs ?? 0;
    const counted = kept === undefined ? [pairs, 'training pair'] : [kept.images.length, 'picture'];
    await announce(tx, {
      user_id: dataset.user_id,
      type: ready ? 'dataset_ready' : 'dataset_error',
      message: `${dataset.name}: ${ready ? `${counted.join(' ')}${counted[0] === 1 ? '' : 's'}` : reason}`,
      action_url: `/datasets/${dataset.id}`,
      metadata: { dataset_id: dataset.id },
      data: {
        name: dataset.name,
        status: verdict.status,
        total_training_pairs: verdict.total_training_pairs,
        failure: ready ? null : { code: verdict.validation_errors[0]?.code ?? 'unknown', message: reason },
      },
    });
  });
}
