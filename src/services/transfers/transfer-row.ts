import { and, eq } from 'drizzle-orm';
import { transfers } from '#/db/schema/transfers.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

export type TransferRow = typeof transfers.$inferSelect;

/** One of the caller's transfers; with `lock` nobody else moves it until the transaction ends. Throws `not_found`. */
export async function findTransfer(tx: Tx, user_id: string, id: string, lock = false): Promise<TransferRow> {
  const query = tx
    .select()
    .from(transfers)
    .where(and(eq(transfers.id, id), eq(transfers.user_id, user_id)));
  const [row] = lock ? await query.for('update') : await query;
  if (row === undefined) throw new AppError('not_found', 'There is no such transfer');
  return row;
}
