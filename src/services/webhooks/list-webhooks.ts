import { and, count, desc, eq } from 'drizzle-orm';
import { webhookDeliveries, webhooks } from '#/db/schema/webhooks.ts';
import { asUser } from '#/db/tenancy.ts';
import type { DeliveryStatus } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import { behindCursor, nextCursor } from '#/services/page-cursor.ts';
import { type DeliveryRow, findWebhook, ownDeliveries, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-row.ts';

interface Page {
  limit: number;
  offset: number;
  after?: string | undefined;
}

/** One page of the caller's webhooks, newest first. Throws `invalid_request` (cursor). */
export function listWebhooks(
  ctx: Context,
  page: Page,
): Promise<{ webhooks: WebhookRow[]; total: number; next_cursor: string | null }> {
  return asUser(ctx.user_id, async (tx) => {
    const own = eq(webhooks.user_id, ctx.user_id);
    const rows = await tx
      .select(WEBHOOK_COLUMNS)
      .from(webhooks)
      .where(and(own, await behindCursor(tx, webhooks, page.after)))
      .orderBy(desc(webhooks.created_at), desc(webhooks.id))
      .limit(page.limit)
      .offset(page.after === undefined ? page.offset : 0);
    const [counted] = await tx.select({ total: count() }).from(webhooks).where(own);
    return { webhooks: rows, total: counted?.total ?? 0, next_cursor: nextCursor(rows, page.limit) };
  });
}

/** One of the caller's webhooks. Throws `not_found`. */
export function getWebhook(ctx: Context, id: string): Promise<WebhookRow> {
  return asUser(ctx.user_id, (tx) => findWebhook(tx, ctx, id));
}

/** One page of a webhook's deliveries, newest first. Throws `not_found` (webhook) and `invalid_request` (cursor). */
export function listDeliveries(
  ctx: Context,
  webhook_id: string,
  query: Page & { status?: DeliveryStatus | undefined },
): Promise<{ deliveries: DeliveryRow[]; total: number; next_cursor: string | null }> {
  return asUser(ctx.user_id, async (tx) => {
    await findWebhook(tx, ctx, webhook_id);
    const wanted = and(
      ownDeliveries(ctx, webhook_id),
      query.status === undefined ? undefined : eq(webhookDeliveries.status, query.status),
    );
    const rows = await tx
      .select()
      .from(webhookDeliveries)
      .where(and(wanted, await behindCursor(tx, webhookDeliveries, query.after)))
      .orderBy(desc(webhookDeliveries.created_at), desc(webhookDeliveries.id))
      .limit(query.limit)
      .offset(query.after === undefined ? query.offset : 0);
    const [counted] = await tx.select({ total: count() }).from(webhookDeliveries).where(wanted);
    return { deliveries: rows, total: counted?.total ?? 0, next_cursor: nextCursor(rows, query.limit) };
  });
}
