/** A worker's hold on one model that is to be fetched or summed: taken, kept, and settled under its number. */
import { and, eq, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import { SHARED_OWNER, storageKey } from '#/storage/storage.ts';
import { type BaseModelRow, columnsOfFolder } from './model-row.ts';
import type { ModelFolder } from './read-model-folder.ts';

/** How long a claim is believed without renewal. */
export const FETCH_LEASE_S = 60;
const ATTEMPTS_MAX = 3;

export interface FetchClaim {
  model: BaseModelRow;
  /** Bytes that its importer may still store. */
  bytes_max: number;
}

const lease = sql`clock_timestamp() + make_interval(secs => ${FETCH_LEASE_S})`;

const held = (model: BaseModelRow) =>
  and(eq(baseModels.id, model.id), eq(baseModels.status, 'fetching'), eq(baseModels.claim, model.claim));

/** Takes the oldest model that waits, or whose holder went silent; null when there is none. */
export function claimModelFetch(): Promise<FetchClaim | null> {
  return asScheduler(async (tx) => {
    const [model] = await tx
      .update(baseModels)
      .set({ lease_until: lease, claim: sql`claim + 1`, attempts: sql`attempts + 1` })
      .where(
        eq(
          baseModels.id,
          sql`(SELECT id FROM lowrank.base_models WHERE status = 'fetching' AND deleted_at IS NULL
               AND (lease_until IS NULL OR lease_until < clock_timestamp()) ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)`,
        ),
      )
      .returning();
    if (model === undefined) return null;
    if (model.attempts > ATTEMPTS_MAX) {
      const message = 'the worker ended several times while it fetched this model; see its log, then register the model again';
      await tx
        .update(baseModels)
        .set({ status: 'error', status_reason: { code: 'internal', message }, lease_until: null })
        .where(held(model));
      return null;
    }
    if (model.created_by === null) return { model, bytes_max: Number.MAX_SAFE_INTEGER };
    const usage = await storageUsage(tx, model.created_by);
    return { model, bytes_max: Math.max(0, usage.quota_bytes - usage.bytes + (model.size_bytes ?? 0)) };
  });
}

/** Keeps the claim and notes how far the fetch is. Throws `fenced` when somebody else holds the model now. */
export function renewModelFetch(model: BaseModelRow, fetched: { bytes: number; bytes_total: number } | null): Promise<void> {
  return update(model, { lease_until: lease, ...(fetched !== null && { metadata: { fetch: fetched } }) });
}

/** Pins the revision that was asked for to the commit that it named, and reserves the bytes. Throws `fenced`. */
export function pinModel(model: BaseModelRow, commit: string, bytes: number): Promise<void> {
  return update(model, { hf_revision: commit, size_bytes: bytes, lease_until: lease });
}

/** The model is there: its facts and sum stand, it can be used. Throws `fenced`. */
export function finishModelFetch(model: BaseModelRow, folder: ModelFolder, checksum: string): Promise<void> {
  return update(model, {
    ...columnsOfFolder(folder),
    checksum,
    status: 'ready',
    storage_path: model.local_path === null ? storageKey(SHARED_OWNER, model.id) : null,
    lease_until: null,
  });
}

/** The model cannot be had, for this reason; whoever registers it again tries once more. Throws `fenced`. */
export function failModelFetch(model: BaseModelRow, reason: { code: string; message: string }): Promise<void> {
  return update(model, { status: 'error', status_reason: reason, lease_until: null, size_bytes: null });
}

/** Gives the claim back unused, for a worker that stops. */
export function releaseModelFetch(model: BaseModelRow): Promise<void> {
  return update(model, { lease_until: null, attempts: Math.max(0, model.attempts - 1) });
}

function update(model: BaseModelRow, columns: Record<string, unknown>): Promise<void> {
  return asScheduler(async (tx) => {
    const rows = await tx.update(baseModels).set(columns).where(held(model)).returning({ id: baseModels.id });
    if (rows.length === 0) throw new AppError('fenced', `Base model ${model.id} is held by somebody else now`);
  });
}
