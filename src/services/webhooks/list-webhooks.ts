import { and, desc, eq } from 'drizzle-orm';
import { webhookDeliveries, webhooks } from '#/db/schema/webhooks.ts';
import { asUser } from '#/db/tenancy.ts';
import type { DeliveryStatus } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { type DeliveryRow, findWebhook, ownDeliveries, WEBHOOK_COLUMNS, type WebhookRow } from './webhook-row.ts';

/** One page of the caller's webhooks, newest first. Throws `invalid_request` (cursor). */
export function listWebhooks(ctx: Context, page: PageQuery): Promise<Paged & { webhooks: WebhookRow[] }> {
  return asUser(ctx.user_id, async (tx) => {
    const own = eq(webhooks.user_id, ctx.user_id);
    const rows = await tx
      .select(WEBHOOK_COLUMNS)
      .from(webhooks)
      .where(and(own, await behindCursor(tx, webhooks, page.after)))
      .orderBy(desc(webhooks.created_at), desc(webhooks.id))
      .limit(oneMore(page))
      .offset(skipped(page));
    const { rows: found, next_cursor } = cutPage(rows, page.limit, ({ id }) => id);
    return { webhooks: found, ...(await countRows(tx, ctx.user_id, webhooks, own)), next_cursor };
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
  query: PageQuery & { status?: DeliveryStatus | undefined },
): Promise<Paged & { deliveries: DeliveryRow[] }> {
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
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    return { deliveries: found, ...(await countRows(tx, ctx.user_id, webhookDeliveries, wanted)), next_cursor };
  });
}
