/** The token of the Hub that a transfer brings along: sealed in its row while it is open, told to its worker alone. */
import { and, eq, inArray, isNotNull } from 'drizzle-orm';
import { transfers } from '#/db/schema/transfers.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { OPEN_TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { openSecret, sealSecret, UnreadableSecret } from '#/services/secrets/seal-secret.ts';
import type { TransferRow } from './transfer-row.ts';

const placeOf = (transfer: { id: string; user_id: string }) => ({
  kind: 'hub_token',
  user_id: transfer.user_id,
  id: transfer.id,
});

/** What the row of a transfer holds of its token; null without one. */
export function sealHubToken(transfer: { id: string; user_id: string }, token: string | undefined): Promise<string | null> {
  return token === undefined ? Promise.resolve(null) : sealSecret(placeOf(transfer), token);
}

/** The token of a transfer; undefined where it brought none. Throws `not_ready` when it cannot be opened any more. */
export async function openHubToken(transfer: Pick<TransferRow, 'id' | 'user_id' | 'token'>): Promise<string | undefined> {
  if (transfer.token === null) return undefined;
  try {
    return await openSecret(placeOf(transfer), transfer.token);
  } catch (error) {
    if (!(error instanceof UnreadableSecret)) throw error;
    throw new AppError('not_ready', 'its token cannot be opened any more: ask for it again, with the token');
  }
}

/** The token of whoever asked for a model first of those who wait for it with one. Throws as `openHubToken` does. */
export async function modelToken(model_id: string): Promise<string | undefined> {
  const [transfer] = await asScheduler((tx) =>
    tx
      .select({ id: transfers.id, user_id: transfers.user_id, token: transfers.token })
      .from(transfers)
      .where(
        and(
          eq(transfers.base_model_id, model_id),
          inArray(transfers.status, [...OPEN_TRANSFER_STATUSES]),
          isNotNull(transfers.token),
        ),
      )
      .orderBy(transfers.created_at)
      .limit(1),
  );
  return transfer === undefined ? undefined : openHubToken(transfer);
}
