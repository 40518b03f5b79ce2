/**
 * A worker's hold on one model that is to be fetched or summed: taken, kept, and settled under its number. The transfers of
 * those who wait for it hear of each step in the same transaction.
 */
import { sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { baseModels } from '#/db/schema/base-models.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import {
  failRefusedBearer,
  followModelFetch,
  lockHubModels,
  type ModelProgress,
  type PinnedListing,
  type RefusedBearer,
} from '#/services/transfers/model-transfers.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import { SHARED_OWNER, storageKey } from '#/storage/storage.ts';
import type { ModelFolder } from './model-files.ts';
import { type BaseModelRow, columnsOfFolder } from './model-row.ts';

/** How long a claim is believed without renewal. */
const FETCH_LEASE_S = 30;
const claims = workClaims(baseModels, sql`status = 'fetching' AND deleted_at IS NULL`, FETCH_LEASE_S, 'created_by');

const CANCELLED = { code: 'cancelled', message: 'its transfer was cancelled: register the model again to fetch it' };

export interface FetchClaim {
  model: BaseModelRow;
  /** Bytes that its importer may still store. */
  bytes_max: number;
}

/** Takes the oldest model that waits, or whose holder went silent; null when there is none. */
export async function claimModelFetch(): Promise<FetchClaim | null> {
  const claim = await asScheduler(async (tx) => {
    const model = await claims.take(tx);
    if (model === null) return null;
    if (await endUnwanted(tx, model)) return 'ended' as const;
    if (model.attempts > CLAIM_ATTEMPTS_MAX) {
      const message = 'the worker ended several times while it fetched this model; see its log, then register the model again';
      await claims.write(tx, model, { status: 'error', status_reason: { code: 'internal', message }, lease_until: null });
      return 'ended' as const;
    }
    if (model.created_by === null) return { model, bytes_max: Number.MAX_SAFE_INTEGER };
    const usage = await storageUsage(tx, model.created_by);
    return { model, bytes_max: Math.max(0, usage.quota_bytes - usage.bytes + (model.size_bytes ?? 0)) };
  });
  return claim === 'ended' ? claimModelFetch() : claim;
}

/** Keeps the claim and tells how far the fetch is. False when nobody waits for the model any more. Throws `fenced`. */
export function renewModelFetch(
  model: BaseModelRow,
  told: { pinned: PinnedListing | null; progress: ModelProgress | null },
): Promise<boolean> {
  return asScheduler(async (tx) => {
    await claims.keep(tx, model);
    return followModelFetch(tx, model.id, told);
  });
}

/** Pins the revision that was asked for to the commit that it named, and reserves the bytes. Throws `fenced`. */
export function pinModel(model: BaseModelRow, pinned: PinnedListing): Promise<void> {
  return asScheduler(async (tx) => {
    await claims.keep(tx, model, { hf_revision: pinned.hf_revision, size_bytes: pinned.bytes_total });
    await followModelFetch(tx, model.id, { pinned });
  });
}

/**
 * The Hub refused a token: the transfer that brought it fails, the fetch goes on for the others. False when nobody else waits:
 * then it fails when the fetch is settled. Throws `fenced`.
 */
export function refuseBearer(model: BaseModelRow, refused: RefusedBearer): Promise<boolean> {
  return asScheduler(async (tx) => {
    await claims.keep(tx, model);
    return failRefusedBearer(tx, model.id, refused, false);
  });
}

/** The model is there: its facts and sum stand, it can be used. `refused` fail all the same. Throws `fenced`. */
export function finishModelFetch(
  model: BaseModelRow,
  folder: ModelFolder,
  checksum: string,
  refused: RefusedBearer[] = [],
): Promise<void> {
  const columns = {
    ...columnsOfFolder(folder),
    checksum,
    status: 'ready' as const,
    storage_path: model.local_path === null ? storageKey(SHARED_OWNER, model.id) : null,
  };
  return settle(model, columns, refused);
}

/**
 * The model cannot be had, for this reason; whoever registers it again tries once more. `refused` are told their own. Throws
 * `fenced`.
 */
export function failModelFetch(
  model: BaseModelRow,
  reason: { code: string; message: string },
  refused: RefusedBearer[] = [],
): Promise<void> {
  return settle(model, { status: 'error', status_reason: reason, size_bytes: null }, refused);
}

/** Ends a fetch that nobody waits for; false when somebody does again. Throws `fenced`. */
export const cancelModelFetch = (model: BaseModelRow): Promise<boolean> => asScheduler((tx) => endUnwanted(tx, model));

export const releaseModelFetch = (model: BaseModelRow) => claims.release(model);

async function endUnwanted(tx: Tx, model: BaseModelRow): Promise<boolean> {
  if (model.hf_repo_id === null || (await followModelFetch(tx, model.id))) return false;
  await lockHubModels(tx, model.hf_repo_id);
  if (await followModelFetch(tx, model.id)) return false;
  await claims.write(tx, model, { status: 'error', status_reason: CANCELLED, size_bytes: null, lease_until: null });
  return true;
}

function settle(model: BaseModelRow, columns: PgUpdateSetSource<typeof baseModels>, refused: RefusedBearer[]): Promise<void> {
  return asScheduler(async (tx) => {
    await claims.write(tx, model, { ...columns, lease_until: null });
    for (const one of refused) await failRefusedBearer(tx, model.id, one, true);
  });
}
