import * as z from 'zod';
import {
  createWebhookRoute,
  type Delivery,
  deleteWebhookRoute,
  getWebhookRoute,
  listDeliveriesRoute,
  listWebhooksRoute,
  redeliverRoute,
  rotateWebhookRoute,
  testWebhookRoute,
  updateWebhookRoute,
  type Webhook,
} from '#/contract/webhooks.ts';
import { deleteWebhook, updateWebhook } from '#/services/webhooks/change-webhook.ts';
import { createWebhook } from '#/services/webhooks/create-webhook.ts';
import { getWebhook, listDeliveries, listWebhooks } from '#/services/webhooks/list-webhooks.ts';
import { queueTest, redeliver } from '#/services/webhooks/queue-delivery.ts';
import type { DeliveryRow, WebhookRow } from '#/services/webhooks/webhook-row.ts';
import { rotateSecret } from '#/services/webhooks/webhook-secrets.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce, makeOnce } from './idempotency.ts';

const presentWebhook = ({ user_id: _, created_at, updated_at, ...webhook }: WebhookRow): Webhook => ({
  ...webhook,
  created_at: created_at.toISOString(),
  updated_at: updated_at.toISOString(),
});

const Payload = z.record(z.string(), z.unknown());

const presentDelivery = ({ user_id: _, webhook_id: __, ...delivery }: DeliveryRow): Delivery => ({
  ...delivery,
  next_attempt_at: delivery.status === 'pending' ? delivery.next_attempt_at.toISOString() : null,
  last_attempt_at: delivery.last_attempt_at?.toISOString() ?? null,
  delivered_at: delivery.delivered_at?.toISOString() ?? null,
  payload: Payload.parse(JSON.parse(delivery.payload)),
  created_at: delivery.created_at.toISOString(),
});

/** Who is told of events over HTTP, and what came of it. */
export const webhookRoutes: RouteModule = (api) => {
  api.openapi(listWebhooksRoute, async (c) => {
    const { limit, offset, after } = c.req.valid('query');
    const { webhooks, ...counts } = await listWebhooks(c.var.ctx, { limit, offset, after });
    return c.json({ webhooks: webhooks.map(presentWebhook), ...counts, limit, offset }, 200);
  });
  api.openapi(createWebhookRoute, async (c) => {
    const body = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/webhooks',
      request: () => body,
      make: (hooks) => createWebhook(c.var.ctx, body, hooks),
      present: ({ webhook, secret }) => ({ ...presentWebhook(webhook), secret }),
      keep: (told) => ({ ...told, secret: null }),
    });
  });
  api.openapi(getWebhookRoute, async (c) => c.json(presentWebhook(await getWebhook(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(updateWebhookRoute, async (c) => {
    const webhook = await updateWebhook(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    return c.json(presentWebhook(webhook), 200);
  });
  api.openapi(deleteWebhookRoute, async (c) => {
    await deleteWebhook(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
  api.openapi(rotateWebhookRoute, async (c) => {
    const { id } = c.req.valid('param');
    return makeOnce(c, () => 200, {
      route: 'POST /api/webhooks/{id}/rotate',
      request: () => ({ id }),
      make: (hooks) => rotateSecret(c.var.ctx, id, hooks),
      present: ({ secret, previous_expires_at }) => ({ id, secret, previous_expires_at: previous_expires_at.toISOString() }),
      keep: (told) => ({ ...told, secret: null }),
    });
  });
  api.openapi(testWebhookRoute, async (c) => {
    const { id } = c.req.valid('param');
    return createOnce(c, {
      route: 'POST /api/webhooks/{id}/test',
      request: () => ({ id }),
      make: (hooks) => queueTest(c.var.ctx, id, hooks),
      present: presentDelivery,
    });
  });
  api.openapi(listDeliveriesRoute, async (c) => {
    const query = c.req.valid('query');
    const { deliveries, ...counts } = await listDeliveries(c.var.ctx, c.req.valid('param').id, query);
    const { limit, offset } = query;
    return c.json({ deliveries: deliveries.map(presentDelivery), ...counts, limit, offset }, 200);
  });
  api.openapi(redeliverRoute, async (c) => {
    const { id, delivery_id } = c.req.valid('param');
    return c.json(presentDelivery(await redeliver(c.var.ctx, id, delivery_id)), 200);
  });
};
