import { eq } from 'drizzle-orm';
import { webhooks } from '#/db/schema/webhooks.ts';
import { asUser } from '#/db/tenancy.ts';
import type { WebhookEvent } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { refuseMore } from '#/services/row-caps/refuse-more.ts';
import { checkReceiver } from './check-receiver.ts';
import { findWebhook, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-row.ts';
import { makeSecret, storeSecret } from './webhook-secrets.ts';

export interface NewWebhook {
  url: string;
  description: string;
  /** Empty: everything. */
  events: WebhookEvent[];
  enabled: boolean;
}

export interface CreatedWebhook {
  webhook: WebhookRow;
  /** Told this once; null when the same request is told again. */
  secret: string | null;
}

/**
 * Makes a webhook with its first secret. Throws `invalid_request` (an address that nothing is sent to), `limit_reached` (as many
 * as a person may have) and, told again where the first answer was lost, `not_found` (deleted since).
 */
export async function createWebhook(ctx: Context, asked: NewWebhook, hooks: CreationHooks = {}): Promise<CreatedWebhook> {
  await checkReceiver(asked.url);
  const secret = await makeSecret(ctx.user_id);
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { webhook: await findWebhook(tx, ctx, known), secret: null };
    await refuseMore(tx, ctx.user_id, 'webhooks', webhooks, eq(webhooks.user_id, ctx.user_id));
    const [webhook] = await tx
      .insert(webhooks)
      .values({ user_id: ctx.user_id, ...asked, events: [...new Set(asked.events)] })
      .returning(WEBHOOK_COLUMNS);
    if (webhook === undefined) throw new Error('the insert of a webhook returned no row');
    await storeSecret(tx, webhook.id, secret);
    await hooks.after?.(tx, webhook.id);
    return { webhook, secret: secret.plain };
  });
}
