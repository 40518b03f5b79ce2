import { randomUUID } from 'node:crypto';
import { transfers } from '#/db/schema/transfers.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import type { ImportOptions } from '#/domain/dataset-import.ts';
import type { Context } from '#/services/context.ts';
import { refuseWithoutModel } from '#/services/models/model-use.ts';
import { findOrRegister } from '#/services/models/register-hub-model.ts';
import { checkDisk, reserveQuota } from '#/services/storage/reserve-space.ts';
import { sealHubToken } from './hub-token.ts';
import { openModelTransfer } from './model-transfers.ts';
import { findTransfer, type TransferRow } from './transfer-row.ts';

interface HubWish {
  hf_repo_id: string;
  revision: string;
  name?: string | undefined;
  /** A token of the Hub for this transfer alone. */
  token?: string | undefined;
}

/** What of the Hub is to come here. */
export type TransferWish = (HubWish & { kind: 'model' }) | (HubWish & { kind: 'dataset' } & ImportOptions);

/** Run in the transaction that stores the transfer, so that a request told twice makes one. */
export interface TransferHooks {
  /** Runs first; a transfer id that it returns is answered instead of a new transfer. */
  before?: (tx: Tx) => Promise<string | null>;
  /** Runs last, once the transfer is stored. */
  after?: (tx: Tx, transfer_id: string, created?: boolean) => Promise<void>;
}

/**
 * Asks for a repository of the Hub, which a worker then brings. The caller's open transfer of the same model is answered
 * again, and a model that is there already completes at once; each import of a dataset makes one. Throws `quota_exceeded`, `storage_full`.
 */
export function createTransfer(
  ctx: Context,
  wish: TransferWish,
  hooks: TransferHooks = {},
): Promise<{ transfer: TransferRow; created: boolean }> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { transfer: await findTransfer(tx, ctx.user_id, known), created: false };
    const opened = await (wish.kind === 'model' ? askForModel(tx, ctx, wish) : askForDataset(tx, ctx, wish));
    await hooks.after?.(tx, opened.transfer.id, opened.created);
    return opened;
  });
}

async function askForModel(tx: Tx, ctx: Context, wish: HubWish): Promise<{ transfer: TransferRow; created: boolean }> {
  const { model } = await findOrRegister(tx, ctx, wish);
  const opened = await openModelTransfer(tx, ctx, model, wish);
  // Its importer may have narrowed it between the two.
  await refuseWithoutModel(tx, model.id);
  return opened;
}

async function askForDataset(
  tx: Tx,
  ctx: Context,
  wish: TransferWish & { kind: 'dataset' },
): Promise<{ transfer: TransferRow; created: boolean }> {
  const { kind, hf_repo_id, revision, name, token, ...options } = wish;
  const row = { id: randomUUID(), user_id: ctx.user_id };
  await checkDisk(0);
  // How much it is the listing says; the worker reserves that. Whoever has no byte left need not wait for it.
  await reserveQuota(tx, ctx.user_id, null, DATASET_BYTES_MAX);
  const [transfer] = await tx
    .insert(transfers)
    .values({
      ...row,
      kind,
      name: name ?? null,
      hf_repo_id,
      hf_requested_revision: revision,
      options,
      token: await sealHubToken(row, token),
    })
    .returning();
  if (transfer === undefined) throw new Error('the insert of a transfer returned no row');
  return { transfer, created: true };
}
