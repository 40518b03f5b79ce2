import { and, eq, inArray, sql } from 'drizzle-orm';
import { transfers } from '#/db/schema/transfers.ts';
import { asUser } from '#/db/tenancy.ts';
import type { TransferKind, TransferStatus } from '#/domain/transfer-state.ts';
import { OPEN_TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { findTransfer, type TransferRow } from './transfer-row.ts';

export interface TransferQuery extends PageQuery {
  kind?: TransferKind | undefined;
  status?: TransferStatus | undefined;
}

/** One page of the caller's transfers, newest first, and how many there are in all. */
export function listTransfers(ctx: Context, query: TransferQuery): Promise<Paged & { transfers: TransferRow[] }> {
  return asUser(ctx.user_id, async (tx) => {
    const wanted = and(
      eq(transfers.user_id, ctx.user_id),
      query.kind === undefined ? undefined : eq(transfers.kind, query.kind),
      query.status === undefined ? undefined : eq(transfers.status, query.status),
    );
    const rows = await tx
      .select()
      .from(transfers)
      .where(and(wanted, await behindCursor(tx, transfers, query.after)))
      // Plain DESC, as the index is read backwards: Drizzle's own says nothing of nulls, and none stand there.
      .orderBy(sql`${transfers.created_at} DESC, ${transfers.id} DESC`)
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    return { transfers: found, ...(await countRows(tx, ctx.user_id, transfers, wanted)), next_cursor };
  });
}

/** One of the caller's transfers. Throws `not_found`. */
export function getTransfer(ctx: Context, id: string): Promise<TransferRow> {
  return asUser(ctx.user_id, (tx) => findTransfer(tx, ctx.user_id, id));
}

/** How far the models are that the caller waits for, by the model's id. Those who did not ask for a model are not told. */
export async function readModelProgress(
  ctx: Context,
  models: { id: string; status: string; hf_repo_id: string | null }[],
): Promise<Map<string, { bytes: number; bytes_total: number }>> {
  const ids = models.filter((model) => model.status === 'fetching' && model.hf_repo_id !== null).map((model) => model.id);
  if (ids.length === 0) return new Map();
  const rows = await asUser(ctx.user_id, (tx) =>
    tx
      .select({ id: transfers.base_model_id, bytes: transfers.bytes_done, bytes_total: transfers.bytes_total })
      .from(transfers)
      .where(
        and(
          eq(transfers.user_id, ctx.user_id),
          inArray(transfers.base_model_id, ids),
          inArray(transfers.status, [...OPEN_TRANSFER_STATUSES]),
        ),
      ),
  );
  const known = rows.flatMap(({ id, bytes, bytes_total }) =>
    id === null || bytes_total === null ? [] : [[id, { bytes, bytes_total }] as const],
  );
  return new Map(known);
}
