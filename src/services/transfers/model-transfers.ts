/** The transfers of those who wait for a base model: it is fetched once for all, and each has a row that follows. */
import { randomUUID } from 'node:crypto';
import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import { transfers } from '#/db/schema/transfers.ts';
import type { Tx } from '#/db/tenancy.ts';
import { OPEN_TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import type { Context } from '#/services/context.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { sealHubToken, type TokenBearer } from './hub-token.ts';
import type { TransferRow } from './transfer-row.ts';
import { transitionTransfer } from './transition-transfer.ts';

/** How far the fetch of a model is. */
export interface ModelProgress {
  bytes_done: number;
  bytes_per_second: number | null;
}

/** What the listing of a repository says: the commit is pinned, this much is fetched. */
export interface PinnedListing {
  hf_revision: string;
  bytes_total: number;
  files: number;
}

const openOf = (model_id: string) =>
  and(eq(transfers.base_model_id, model_id), inArray(transfers.status, [...OPEN_TRANSFER_STATUSES]));

/** By one door at a time: who asks for a model of this repository, and who ends a fetch that nobody waits for. */
export async function lockHubModels(tx: Tx, hf_repo_id: string): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`model:${hf_repo_id}`}, 0))`);
}

/** The caller's open transfer of a model, made where there is none. */
export async function openModelTransfer(
  tx: Tx,
  ctx: Context,
  model: BaseModelRow,
  wish: { hf_repo_id: string; revision: string; name?: string | undefined; token?: string | undefined },
): Promise<{ transfer: TransferRow; created: boolean }> {
  await lockHubModels(tx, wish.hf_repo_id);
  const [known] = await tx
    .select()
    .from(transfers)
    .where(and(openOf(model.id), eq(transfers.user_id, ctx.user_id)));
  if (known !== undefined) {
    // A token that comes later is what the next attempt is made with. One that has ended since keeps none.
    if (wish.token !== undefined)
      await tx
        .update(transfers)
        .set({ token: await sealHubToken(known, wish.token) })
        .where(and(eq(transfers.id, known.id), openOf(model.id)));
    return { transfer: known, created: false };
  }
  const row = { id: randomUUID(), user_id: ctx.user_id };
  const [transfer] = await tx
    .insert(transfers)
    .values({
      ...row,
      kind: 'model',
      name: wish.name ?? null,
      hf_repo_id: wish.hf_repo_id,
      hf_requested_revision: wish.revision,
      base_model_id: model.id,
      token: await sealHubToken(row, wish.token),
    })
    .returning();
  if (transfer === undefined) throw new Error('the insert of a transfer returned no row');
  return { transfer, created: true };
}

/**
 * Tells everybody who waits for a model how far it is, in the transaction of its worker. False when nobody waits any more:
 * all of them have cancelled. (A model without any transfer is one whose importer is gone: others may still train on it.)
 */
export async function followModelFetch(
  tx: Tx,
  model_id: string,
  told: { pinned?: PinnedListing | null; progress?: ModelProgress | null } = {},
): Promise<boolean> {
  const pending = await tx
    .select()
    .from(transfers)
    .where(and(eq(transfers.base_model_id, model_id), eq(transfers.status, 'pending')))
    .for('no key update');
  for (const transfer of pending) await transitionTransfer(tx, transfer, { type: 'running' });
  const columns = { ...told.pinned, ...told.progress };
  if (Object.keys(columns).length > 0) await tx.update(transfers).set(columns).where(openOf(model_id));
  const { rows } = await tx.execute<{ wanted: boolean }>(sql`
    SELECT count(*) = 0 OR bool_or(status IN ('pending', 'running')) AS wanted FROM ${transfers} WHERE base_model_id = ${model_id}`);
  return rows[0]?.wanted === true;
}

/** Whose token the Hub refused, and what is told to them. */
export interface RefusedBearer {
  bearer: TokenBearer;
  reason: { code: string; message: string };
}

/**
 * Fails the transfer whose token was refused, and no other. The last one that waits stays open unless `even_last`, or the fetch,
 * which may go on with the installation's token, would have nobody left: then false. One that was cancelled or given
 * another token meanwhile is left alone.
 */
export async function failRefusedBearer(
  tx: Tx,
  model_id: string,
  { bearer, reason }: RefusedBearer,
  even_last: boolean,
): Promise<boolean> {
  const [transfer] = await tx
    .select()
    .from(transfers)
    .where(and(openOf(model_id), eq(transfers.id, bearer.id), eq(transfers.token, bearer.token)))
    .for('no key update');
  if (transfer === undefined) return true;
  if (!even_last) {
    const others = and(openOf(model_id), ne(transfers.id, bearer.id));
    const [other] = await tx.select({ id: transfers.id }).from(transfers).where(others).limit(1);
    if (other === undefined) return false;
  }
  await transitionTransfer(tx, transfer, { type: 'failed', reason });
  return true;
}
