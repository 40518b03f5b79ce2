import { count, eq, sql } from 'drizzle-orm';
import { webhooks } from '#/db/schema/webhooks.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { WEBHOOKS_PER_USER_MAX, type WebhookEvent } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
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
 * Makes a webhook with its first secret. Throws `invalid_request` (an address that nothing is sent to), `conflict` (as many
 * as a person may have) and, told again, `not_found` (deleted since).
 */
export async function createWebhook(ctx: Context, asked: NewWebhook, hooks: CreationHooks = {}): Promise<CreatedWebhook> {
  await checkReceiver(asked.url);
  const secret = await makeSecret(ctx.user_id);
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { webhook: await findWebhook(tx, ctx, known), secret: null };
    await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`webhooks of ${ctx.user_id}`}, 0))`);
    const [counted] = await tx.select({ total: count() }).from(webhooks).where(eq(webhooks.user_id, ctx.user_id));
    if ((counted?.total ?? 0) >= WEBHOOKS_PER_USER_MAX)
      throw new AppError('conflict', `A person may have ${WEBHOOKS_PER_USER_MAX} webhooks: change or delete one of yours`);
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
