import { and, eq, sql } from 'drizzle-orm';
import { webhookDeliveries } from '#/db/schema/webhooks.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { WEBHOOK_TEST_EVENT, type WebhookEvent } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { webhookPayload } from './webhook-payload.ts';
import { type DeliveryRow, findWebhook, ownDeliveries, refuseDisabled } from './webhook-row.ts';

/**
 * Puts an event into the outbox of each of a person's webhooks that subscribes to it, in the transaction in which it happens:
 * both stand or neither does. `announce` calls it; nobody else needs to.
 */
export async function queueDeliveries(
  tx: Tx,
  user_id: string,
  event: WebhookEvent,
  data: Record<string, unknown>,
): Promise<void> {
  await tx.execute(sql`
    INSERT INTO lowrank.webhook_deliveries (user_id, webhook_id, event, payload)
    SELECT w.user_id, w.id, ${event}, ${webhookPayload(event, data)} FROM lowrank.webhooks w
    WHERE w.user_id = ${user_id} AND w.enabled AND (w.events = '{}' OR ${event} = ANY (w.events))`);
}

/** Queues a delivery that says nothing but that it arrived. Throws `not_found` and `conflict` (disabled). */
export function queueTest(ctx: Context, webhook_id: string, hooks: CreationHooks = {}): Promise<DeliveryRow> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return findDelivery(tx, ctx, webhook_id, known);
    refuseDisabled(await findWebhook(tx, ctx, webhook_id));
    const payload = webhookPayload(WEBHOOK_TEST_EVENT, { webhook_id });
    const [queued] = await tx
      .insert(webhookDeliveries)
      .values({ user_id: ctx.user_id, webhook_id, event: WEBHOOK_TEST_EVENT, payload })
      .returning();
    if (queued === undefined) throw new Error('the insert of a delivery returned no row');
    await hooks.after?.(tx, queued.id);
    return queued;
  });
}

/**
 * Has a delivery sent again, now and with all its tries, as the same message: its id, and so `webhook-id`, stays. Throws
 * `not_found` and `conflict` (disabled).
 */
export function redeliver(ctx: Context, webhook_id: string, delivery_id: string): Promise<DeliveryRow> {
  return asUser(ctx.user_id, async (tx) => {
    const webhook = await findWebhook(tx, ctx, webhook_id);
    await findDelivery(tx, ctx, webhook_id, delivery_id);
    refuseDisabled(webhook);
    const [again] = await tx
      .update(webhookDeliveries)
      .set({ status: 'pending', attempts: 0, next_attempt_at: sql`clock_timestamp()` })
      .where(and(ownDeliveries(ctx, webhook_id), eq(webhookDeliveries.id, delivery_id)))
      .returning();
    if (again === undefined) throw new AppError('not_found', 'There is no such delivery');
    return again;
  });
}

async function findDelivery(tx: Tx, ctx: Context, webhook_id: string, id: string): Promise<DeliveryRow> {
  const [found] = await tx
    .select()
    .from(webhookDeliveries)
    .where(and(ownDeliveries(ctx, webhook_id), eq(webhookDeliveries.id, id)));
  if (found === undefined) throw new AppError('not_found', 'There is no such delivery of this webhook');
  return found;
}
