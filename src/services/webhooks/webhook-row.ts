import { and, eq, getTableColumns } from 'drizzle-orm';
import { webhookDeliveries, webhooks } from '#/db/schema/webhooks.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';

// The sender's hold is nobody's business.
const { lease_until: _lease, claim: _claim, ...shown } = getTableColumns(webhooks);
export const WEBHOOK_COLUMNS = shown;

/** A webhook as its owner sees it: never with a secret. */
export type WebhookRow = Omit<typeof webhooks.$inferSelect, 'lease_until' | 'claim'>;
export type DeliveryRow = typeof webhookDeliveries.$inferSelect;

export const ownWebhook = (ctx: Context, id: string) => and(eq(webhooks.id, id), eq(webhooks.user_id, ctx.user_id));
export const ownDeliveries = (ctx: Context, webhook_id: string) =>
  and(eq(webhookDeliveries.user_id, ctx.user_id), eq(webhookDeliveries.webhook_id, webhook_id));

/** One of the caller's webhooks; with `lock`, kept as it is until the transaction ends. Throws `not_found`. */
export async function findWebhook(tx: Tx, ctx: Context, id: string, options: { lock?: boolean } = {}): Promise<WebhookRow> {
  const found = tx.select(WEBHOOK_COLUMNS).from(webhooks).where(ownWebhook(ctx, id));
  const [webhook] = await (options.lock === true ? found.for('update') : found);
  if (webhook === undefined) throw new AppError('not_found', 'There is no such webhook');
  return webhook;
}

/** Throws `conflict` for a webhook that sends nothing. */
export function refuseDisabled(webhook: WebhookRow): void {
  if (!webhook.enabled) throw new AppError('conflict', 'This webhook is disabled: enable it first');
}
