import { z } from '@hono/zod-openapi';
import { PlainText } from '#/domain/plain-text.ts';
import { DELIVERY_STATUSES, DISABLED_REASONS, WEBHOOK_EVENTS } from '#/domain/webhooks.ts';
import { IdempotencyKey, IdParam, Instant, PageFields, PageQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';

const URL_EXAMPLE = 'https://hooks.example.org/lowrank';
const Url = z
  .string()
  .min(1)
  .max(2048)
  .describe('https, port 443 or 8443, of the public internet; an administrator can name further hosts')
  .openapi({ example: URL_EXAMPLE });
const Description = PlainText.trim().max(500);
const Events = z
  .array(z.enum(WEBHOOK_EVENTS))
  .max(100)
  .describe('What it subscribes to; an empty list is everything, also what is new in later versions');

export const Webhook = z
  .object({
    id: z.uuid(),
    url: Url,
    description: z.string(),
    events: z.array(z.string()),
    enabled: z.boolean(),
    disabled_reason: z.enum(DISABLED_REASONS).nullable().describe('gone: its receiver answered 410'),
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('Webhook');
export type Webhook = z.infer<typeof Webhook>;

const NewWebhook = Webhook.extend({
  secret: z
    .string()
    .nullable()
    .describe('Signs the deliveries: told this once; null when the answer is a repeated one')
    .openapi({ example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw…' }),
}).openapi('NewWebhook');

export const DeliveryTry = z.object({
  at: Instant,
  status: z.int().nullable().describe("The receiver's; null when there was no answer"),
  error: z.string().nullable(),
  duration_ms: z.int(),
});

export const Delivery = z
  .object({
    id: z.uuid().describe('What the receiver gets as webhook-id, at every try the same'),
    event: z.string(),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.int().describe('Tries since it was first, or last, wished for: at most 10'),
    next_attempt_at: Instant.nullable().describe('Null when none is to come'),
    last_attempt_at: Instant.nullable(),
    last_status: z.int().nullable(),
    last_error: z.string().nullable(),
    delivered_at: Instant.nullable(),
    tries: z.array(DeliveryTry).describe('The last 20, oldest first'),
    payload: z.record(z.string(), z.unknown()).describe('The body that is sent'),
    created_at: Instant,
  })
  .openapi('WebhookDelivery');
export type Delivery = z.infer<typeof Delivery>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const body = <T extends z.ZodType>(schema: T) => ({ body: { required: true, content: { 'application/json': { schema } } } });

export const listWebhooksRoute = declareRoute({
  method: 'get',
  path: '/api/webhooks',
  tags: ['webhooks'],
  summary: 'Own webhooks, newest first, without their secrets',
  request: { query: z.strictObject(PageQuery) },
  responses: { 200: answers(z.object({ webhooks: z.array(Webhook), ...PageFields }), 'One page') },
});

export const createWebhookRoute = declareRoute({
  method: 'post',
  path: '/api/webhooks',
  tags: ['webhooks'],
  summary: 'Make a webhook: its secret is told this once',
  request: {
    headers: IdempotencyKey,
    ...body(
      z
        .strictObject({
          url: Url,
          description: Description.default(''),
          events: Events.default([]),
          enabled: z.boolean().default(true),
        })
        .openapi('CreateWebhook', {
          example: { url: URL_EXAMPLE, description: 'Tell the team', events: ['job.completed', 'job.failed'] },
        }),
    ),
  },
  responses: { 201: answers(NewWebhook, 'The webhook and its secret') },
  faults: [404, 'limit_reached'],
});

export const getWebhookRoute = declareRoute({
  method: 'get',
  path: '/api/webhooks/{id}',
  tags: ['webhooks'],
  summary: 'One webhook, without its secret',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Webhook, 'The webhook') },
  faults: [404],
});

export const updateWebhookRoute = declareRoute({
  method: 'patch',
  path: '/api/webhooks/{id}',
  tags: ['webhooks'],
  summary: 'Change address, description or events, enable or disable: what waits meanwhile is sent afterwards',
  request: {
    params: IdParam,
    ...body(
      z
        .strictObject({
          url: Url.optional(),
          description: Description.optional(),
          events: Events.optional(),
          enabled: z.boolean().optional(),
        })
        .openapi('WebhookChanges', { example: { enabled: false } }),
    ),
  },
  responses: { 200: answers(Webhook, 'The webhook as it is now') },
  faults: [404],
});

export const deleteWebhookRoute = declareRoute({
  method: 'delete',
  path: '/api/webhooks/{id}',
  tags: ['webhooks'],
  summary: 'Delete with its log; what waits is not sent any more',
  request: { params: IdParam },
  responses: { 204: { description: 'Deleted' } },
  faults: [404],
});

export const rotateWebhookRoute = declareRoute({
  method: 'post',
  path: '/api/webhooks/{id}/rotate',
  tags: ['webhooks'],
  summary: 'A new secret, told this once; the one before signs beside it for 24 hours',
  request: { params: IdParam, headers: IdempotencyKey },
  responses: {
    200: answers(
      z.object({
        id: z.uuid(),
        secret: z.string().nullable().describe('null when the answer is a repeated one'),
        previous_expires_at: Instant,
      }),
      'The new secret',
    ),
  },
  faults: [404, 409],
});

export const testWebhookRoute = declareRoute({
  method: 'post',
  path: '/api/webhooks/{id}/test',
  tags: ['webhooks'],
  summary: 'Send an event `webhook.test`: the delivery tells what came of it',
  request: { params: IdParam, headers: IdempotencyKey },
  responses: { 201: answers(Delivery, 'Queued') },
  faults: [404, 409, 429],
});

export const listDeliveriesRoute = declareRoute({
  method: 'get',
  path: '/api/webhooks/{id}/deliveries',
  tags: ['webhooks'],
  summary: 'What was sent to it, newest first; settled deliveries are kept for 30 days',
  request: { params: IdParam, query: z.strictObject({ ...PageQuery, status: z.enum(DELIVERY_STATUSES).optional() }) },
  responses: { 200: answers(z.object({ deliveries: z.array(Delivery), ...PageFields }), 'One page') },
  faults: [404],
});

export const redeliverRoute = declareRoute({
  method: 'post',
  path: '/api/webhooks/{id}/deliveries/{delivery_id}/redeliver',
  tags: ['webhooks'],
  summary: 'Send it again, now and with all its tries, under the same webhook-id',
  request: { params: IdParam.extend({ delivery_id: z.uuid().openapi({ param: { name: 'delivery_id', in: 'path' } }) }) },
  responses: { 200: answers(Delivery, 'Queued again') },
  faults: [404, 409, 429],
});
