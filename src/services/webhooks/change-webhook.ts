import { webhooks } from '#/db/schema/webhooks.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { checkReceiver } from './check-receiver.ts';
import type { NewWebhook } from './create-webhook.ts';
import { findWebhook, ownWebhook, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-row.ts';

/** What is left out stays as it is. */
export type WebhookChanges = { [Name in keyof NewWebhook]?: NewWebhook[Name] | undefined };

/**
 * Changes a webhook. What waits is sent to the new address, and what waited while it was disabled once it is enabled again.
 * Throws `not_found` and `invalid_request` (an address that nothing is sent to).
 */
export async function updateWebhook(ctx: Context, id: string, changes: WebhookChanges): Promise<WebhookRow> {
  if (changes.url !== undefined) await checkReceiver(changes.url);
  const { url, description, events, enabled } = changes;
  const set = {
    ...(url !== undefined && { url }),
    ...(description !== undefined && { description }),
    ...(events !== undefined && { events: [...new Set(events)] }),
    // Whoever switches it by hand decides: our reason is over.
    ...(enabled !== undefined && { enabled, disabled_reason: null }),
  };
  return asUser(ctx.user_id, async (tx) => {
    if (Object.keys(set).length === 0) return findWebhook(tx, ctx, id);
    const [changed] = await tx.update(webhooks).set(set).where(ownWebhook(ctx, id)).returning(WEBHOOK_COLUMNS);
    if (changed === undefined) throw new AppError('not_found', 'There is no such webhook');
    return changed;
  });
}

/** Deletes a webhook with its secrets and its log; what waits is not sent any more. Throws `not_found`. */
export function deleteWebhook(ctx: Context, id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    const gone = await tx.delete(webhooks).where(ownWebhook(ctx, id)).returning({ id: webhooks.id });
    if (gone.length === 0) throw new AppError('not_found', 'There is no such webhook');
  });
}
