/** The token of the Hub that a transfer brings along: sealed in its row while it is open, told to its worker alone. */
import { and, eq, inArray, isNotNull, notInArray } from 'drizzle-orm';
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

/** Whoever waits for a model with a token of their own. */
export type TokenBearer = Pick<TransferRow, 'id' | 'user_id'> & { token: string };

/** The one who has waited longest for a model with a token that is not in `tried` (as the rows hold them); null when there is none. */
export async function nextTokenBearer(model_id: string, tried: string[]): Promise<TokenBearer | null> {
  const [transfer] = await asScheduler((tx) =>
    tx
      .select({ id: transfers.id, user_id: transfers.user_id, token: transfers.token })
      .from(transfers)
      .where(
        and(
          eq(transfers.base_model_id, model_id),
          inArray(transfers.status, [...OPEN_TRANSFER_STATUSES]),
          isNotNull(transfers.token),
          notInArray(transfers.token, tried),
        ),
      )
      .orderBy(transfers.created_at, transfers.id)
      .limit(1),
  );
  return transfer?.token == null ? null : { ...transfer, token: transfer.token };
}
