import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  smallint,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { DELIVERY_STATUSES, type DeliveryTry, DISABLED_REASONS } from '#/domain/webhooks.ts';
import { users } from './identity.ts';
import { createdAt, deliveryRows, id, instant, lowrank, oneOf, ownRows, schedulerRows, updatedAt } from './roles.ts';

const userId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

/** A receiver of a person's events. */
export const webhooks = lowrank.table(
  'webhooks',
  {
    id: id(),
    user_id: userId(),
    url: text('url').notNull(),
    description: text('description').notNull().default(''),
    /** what it subscribes to; empty: everything */
    events: text('events').array().notNull().default([]),
    enabled: boolean('enabled').notNull().default(true),
    /** why we disabled it; null when its owner did */
    disabled_reason: text('disabled_reason', { enum: DISABLED_REASONS }),
    /** A sender's hold on the receiver: nobody else sends to it until then. In the past: when it was last sent to. */
    lease_until: instant('lease_until'),
    /** grows with every hold: a sender that lost its hold writes nothing */
    claim: integer('claim').notNull().default(0),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    unique('webhooks_id_user_key').on(t.id, t.user_id),
    check('webhooks_reason_check', sql`disabled_reason is null or not enabled`),
    index('webhooks_user_created').on(t.user_id, t.created_at, t.id),
    ownRows('webhooks'),
    schedulerRows('webhooks'),
    deliveryRows('webhooks'),
  ],
);

/** What signs a webhook's deliveries: the newest, and those before it until they expire. */
export const webhookSecrets = lowrank.table(
  'webhook_secrets',
  {
    id: id(),
    user_id: uuid('user_id').notNull(),
    webhook_id: uuid('webhook_id').notNull(),
    /** see services/secrets/seal-secret.ts; no login that serves people may read it */
    sealed: text('sealed').notNull(),
    /** null: the one in use */
    expires_at: instant('expires_at'),
    created_at: createdAt(),
  },
  (t) => [
    foreignKey({
      columns: [t.webhook_id, t.user_id],
      foreignColumns: [webhooks.id, webhooks.user_id],
      name: 'webhook_secrets_webhook_fk',
    }).onDelete('cascade'),
    uniqueIndex('webhook_secrets_in_use_key').on(t.user_id, t.webhook_id).where(sql`expires_at is null`),
    index('webhook_secrets_webhook').on(t.user_id, t.webhook_id),
    ownRows('webhook_secrets'),
    deliveryRows('webhook_secrets'),
  ],
);

/** The outbox: one row an event and receiver, written in the transaction in which the event happens. Its id is the `webhook-id`. */
export const webhookDeliveries = lowrank.table(
  'webhook_deliveries',
  {
    id: id(),
    user_id: uuid('user_id').notNull(),
    webhook_id: uuid('webhook_id').notNull(),
    event: text('event').notNull(),
    /** the body, to the byte: every try sends and signs the same */
    payload: text('payload').notNull(),
    status: text('status', { enum: DELIVERY_STATUSES }).notNull().default('pending'),
    /** tries since it was first, or last, wished for */
    attempts: smallint('attempts').notNull().default(0),
    next_attempt_at: instant('next_attempt_at').notNull().defaultNow(),
    last_attempt_at: instant('last_attempt_at'),
    last_status: smallint('last_status'),
    last_error: text('last_error'),
    delivered_at: instant('delivered_at'),
    /** the last tries, oldest first */
    tries: jsonb('tries').$type<DeliveryTry[]>().notNull().default([]),
    created_at: createdAt(),
  },
  (t) => [
    check('webhook_deliveries_status_check', oneOf('status', DELIVERY_STATUSES)),
    foreignKey({
      columns: [t.webhook_id, t.user_id],
      foreignColumns: [webhooks.id, webhooks.user_id],
      name: 'webhook_deliveries_webhook_fk',
    }).onDelete('cascade'),
    index('webhook_deliveries_due').on(t.webhook_id, t.next_attempt_at).where(sql`status = 'pending'`),
    index('webhook_deliveries_log').on(t.user_id, t.webhook_id, t.created_at, t.id),
    index('webhook_deliveries_created').on(t.created_at),
    ownRows('webhook_deliveries'),
    schedulerRows('webhook_deliveries'),
    deliveryRows('webhook_deliveries'),
  ],
);
