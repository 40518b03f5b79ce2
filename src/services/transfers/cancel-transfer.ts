import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isTransferOpen } from '#/domain/transfer-state.ts';
import type { Context } from '#/services/context.ts';
import { findTransfer, type TransferRow } from './transfer-row.ts';
import { transitionTransfer } from './transition-transfer.ts';

/**
 * Cancels a transfer at once: its worker, which looks every second, ends the download and removes what came. A base model
 * that somebody else waits for is fetched on for them. A cancelled one is answered again. Throws `not_found` and
 * `transfer_already_final`.
 */
export function cancelTransfer(ctx: Context, id: string): Promise<TransferRow> {
  return asUser(ctx.user_id, async (tx) => {
    const transfer = await findTransfer(tx, ctx.user_id, id, true);
    if (transfer.status === 'cancelled') return transfer;
    if (!isTransferOpen(transfer.status)) {
      const message = `This transfer is ${transfer.status}; only one that waits or runs can be cancelled`;
      throw new AppError('transfer_already_final', message);
    }
    await transitionTransfer(tx, transfer, { type: 'cancelled' });
    return findTransfer(tx, ctx.user_id, id);
  });
}
