/** A worker's hold on one model that is to be fetched or summed: taken, kept, and settled under its number. */
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { baseModels } from '#/db/schema/base-models.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import { SHARED_OWNER, storageKey } from '#/storage/storage.ts';
import { type BaseModelRow, columnsOfFolder } from './model-row.ts';
import type { ModelFolder } from './read-model-folder.ts';

/** How long a claim is believed without renewal. */
export const FETCH_LEASE_S = 60;
const claims = workClaims(baseModels, 'fetching', FETCH_LEASE_S);

export interface FetchClaim {
  model: BaseModelRow;
  /** Bytes that its importer may still store. */
  bytes_max: number;
}

/** Takes the oldest model that waits, or whose holder went silent; null when there is none. */
export function claimModelFetch(): Promise<FetchClaim | null> {
  return asScheduler(async (tx) => {
    const model = await claims.take(tx);
    if (model === null) return null;
    if (model.attempts > CLAIM_ATTEMPTS_MAX) {
      const message = 'the worker ended several times while it fetched this model; see its log, then register the model again';
      await claims.write(tx, model, { status: 'error', status_reason: { code: 'internal', message }, lease_until: null });
      return null;
    }
    if (model.created_by === null) return { model, bytes_max: Number.MAX_SAFE_INTEGER };
    const usage = await storageUsage(tx, model.created_by);
    return { model, bytes_max: Math.max(0, usage.quota_bytes - usage.bytes + (model.size_bytes ?? 0)) };
  });
}

/** Keeps the claim and notes how far the fetch is. Throws `fenced`. */
export function renewModelFetch(model: BaseModelRow, fetched: { bytes: number; bytes_total: number } | null): Promise<void> {
  return claims.renew(model, fetched === null ? {} : { metadata: { fetch: fetched } });
}

/** Pins the revision that was asked for to the commit that it named, and reserves the bytes. Throws `fenced`. */
export function pinModel(model: BaseModelRow, commit: string, bytes: number): Promise<void> {
  return claims.renew(model, { hf_revision: commit, size_bytes: bytes });
}

/** The model is there: its facts and sum stand, it can be used. Throws `fenced`. */
export function finishModelFetch(model: BaseModelRow, folder: ModelFolder, checksum: string): Promise<void> {
  return settle(model, {
    ...columnsOfFolder(folder),
    checksum,
    status: 'ready',
    storage_path: model.local_path === null ? storageKey(SHARED_OWNER, model.id) : null,
  });
}

/** The model cannot be had, for this reason; whoever registers it again tries once more. Throws `fenced`. */
export function failModelFetch(model: BaseModelRow, reason: { code: string; message: string }): Promise<void> {
  return settle(model, { status: 'error', status_reason: reason, size_bytes: null });
}

export const releaseModelFetch = (model: BaseModelRow) => claims.release(model);

function settle(model: BaseModelRow, columns: PgUpdateSetSource<typeof baseModels>): Promise<void> {
  return asScheduler((tx) => claims.write(tx, model, { ...columns, lease_until: null }));
}
