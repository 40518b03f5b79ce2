/** A sender's hold on a receiver: taken with its next delivery, and settled with what came of it. */
import { and, eq, sql } from 'drizzle-orm';
import { webhookDeliveries, webhooks } from '#/db/schema/webhooks.ts';
import { asDelivery } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { DELIVERY_LOG_DAYS, type DeliveryStatus, type DeliveryTry } from '#/domain/webhooks.ts';
import { openSecret, UnreadableSecret } from '#/services/secrets/seal-secret.ts';
import { WEBHOOK_SECRET } from './webhook-secrets.ts';

/** A receiver that is held, and what is to be sent to it. */
export interface HeldDelivery {
  webhook_id: string;
  user_id: string;
  /** The number of the hold. */
  claim: number;
  url: string;
  delivery_id: string;
  payload: string;
  /** Tries before this one. */
  attempts: number;
  /** Now, by the database's clock: a wrong one of this machine must not make a signature look old. */
  now: Date;
  /** What signs, newest first, sealed. */
  secrets: { id: string; sealed: string }[];
}

/** What came of a try. */
export type DeliveryOutcome =
  | { kind: 'delivered'; made: DeliveryTry }
  /** Once more in so many seconds. */
  | { kind: 'again'; made: DeliveryTry; delay_s: number }
  /** Given up; `gone` has the receiver disabled as well. */
  | { kind: 'failed'; made: DeliveryTry; gone: boolean }
  /** Not tried: the sender stops. */
  | { kind: 'untried' };

/** Tries that a delivery's log keeps. */
const TRIES_KEPT = 20;

/**
 * Takes up to `count` receivers that have something due, those first that were sent to longest ago, each with the delivery that
 * is longest due. A receiver is held by one sender at a time and gets one delivery at a time: who is slow delays nobody else. A
 * hold whose sender was killed ends after `lease_ms`, and the same delivery is taken again.
 */
export function holdReceivers(count: number, lease_ms: number): Promise<HeldDelivery[]> {
  return asDelivery(async (tx) => {
    const held = await tx.execute<{ id: string; user_id: string; claim: number; url: string; now_ms: number }>(sql`
      WITH ready AS (
        SELECT w.id FROM lowrank.webhooks w
        WHERE w.enabled AND (w.lease_until IS NULL OR w.lease_until <= clock_timestamp())
          AND EXISTS (SELECT FROM lowrank.webhook_deliveries d
            WHERE d.webhook_id = w.id AND d.status = 'pending' AND d.next_attempt_at <= clock_timestamp())
        ORDER BY w.lease_until NULLS FIRST LIMIT ${count} FOR NO KEY UPDATE SKIP LOCKED)
      UPDATE lowrank.webhooks w SET lease_until = clock_timestamp() + ${lease_ms} * interval '1 ms', claim = w.claim + 1
      FROM ready WHERE w.id = ready.id RETURNING w.id, w.user_id, w.claim, w.url, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms`);
    if (held.rows.length === 0) return [];
    const ids = held.rows.map((row) => row.id);
    const due = await tx.execute<{ webhook_id: string; id: string; payload: string; attempts: number }>(sql`
      SELECT d.* FROM unnest(${sql.param(ids)}::uuid[]) AS w (id), LATERAL (
        SELECT webhook_id, id, payload, attempts FROM lowrank.webhook_deliveries
        WHERE webhook_id = w.id AND status = 'pending' AND next_attempt_at <= clock_timestamp()
        ORDER BY next_attempt_at LIMIT 1) d`);
    const secrets = await tx.execute<{ webhook_id: string; id: string; sealed: string }>(sql`
      SELECT webhook_id, id, sealed FROM lowrank.webhook_secrets
      WHERE webhook_id = ANY (${sql.param(ids)}::uuid[]) AND (expires_at IS NULL OR expires_at > clock_timestamp())
      ORDER BY expires_at DESC NULLS FIRST`);
    return held.rows.flatMap((webhook) => {
      const next = due.rows.find((row) => row.webhook_id === webhook.id);
      // Its delivery was deleted or settled between the two looks: the hold ends by itself.
      if (next === undefined) return [];
      return {
        webhook_id: webhook.id,
        user_id: webhook.user_id,
        claim: webhook.claim,
        url: webhook.url,
        delivery_id: next.id,
        payload: next.payload,
        attempts: next.attempts,
        now: new Date(webhook.now_ms),
        secrets: secrets.rows.filter((row) => row.webhook_id === webhook.id).map(({ id, sealed }) => ({ id, sealed })),
      };
    });
  });
}

/** The secrets that sign a delivery, newest first; null when one cannot be opened. */
export async function openSecrets({ user_id, secrets }: HeldDelivery): Promise<string[] | null> {
  try {
    return await Promise.all(secrets.map(({ id, sealed }) => openSecret({ kind: WEBHOOK_SECRET, user_id, id }, sealed)));
  } catch (error) {
    if (error instanceof UnreadableSecret) return null;
    throw error;
  }
}

/** Stores what came of a try and lets the receiver go. Throws `fenced` when the hold was lost: then nothing is written. */
export function settleDelivery(held: HeldDelivery, outcome: DeliveryOutcome): Promise<void> {
  return asDelivery(async (tx) => {
    const gone = outcome.kind === 'failed' && outcome.gone;
    const released = await tx
      .update(webhooks)
      .set({ lease_until: sql`clock_timestamp()`, ...(gone && { enabled: false, disabled_reason: 'gone' as const }) })
      .where(and(eq(webhooks.id, held.webhook_id), eq(webhooks.claim, held.claim)))
      .returning({ id: webhooks.id });
    if (released.length === 0) throw new AppError('fenced', `Webhook ${held.webhook_id} is no longer held under ${held.claim}`);
    if (outcome.kind === 'untried') return;
    const { made } = outcome;
    await tx
      .update(webhookDeliveries)
      .set({
        attempts: sql`${webhookDeliveries.attempts} + 1`,
        last_attempt_at: sql`clock_timestamp()`,
        last_status: made.status,
        last_error: made.error,
        tries: sql`CASE WHEN jsonb_array_length(${webhookDeliveries.tries}) < ${TRIES_KEPT} THEN ${webhookDeliveries.tries}
          ELSE ${webhookDeliveries.tries} - 0 END || ${JSON.stringify([made])}::jsonb`,
        ...(outcome.kind === 'again'
          ? { next_attempt_at: sql`clock_timestamp() + ${outcome.delay_s} * interval '1 second'` }
          : { status: statusAfter(held, outcome.kind) }),
        ...(outcome.kind === 'delivered' && { delivered_at: sql`clock_timestamp()` }),
      })
      .where(eq(webhookDeliveries.id, held.delivery_id));
  });
}

/** Whoever asked for a redelivery meanwhile, and so counted from nothing again, has not given up. */
function statusAfter(held: HeldDelivery, status: 'delivered' | 'failed') {
  if (status === 'delivered') return status;
  return sql<DeliveryStatus>`CASE WHEN ${webhookDeliveries.attempts} < ${held.attempts} THEN ${webhookDeliveries.status} ELSE ${status} END`;
}

/** Removes what is settled and old, and secrets that sign nothing any more. Answers how many rows that were. */
export function pruneDeliveries(): Promise<number> {
  return asDelivery(async (tx) => {
    const old = await tx.execute(sql`DELETE FROM lowrank.webhook_deliveries
      WHERE created_at < clock_timestamp() - make_interval(days => ${DELIVERY_LOG_DAYS})
        AND (status <> 'pending' OR webhook_id IN (SELECT id FROM lowrank.webhooks WHERE NOT enabled))`);
    const expired = await tx.execute(sql`DELETE FROM lowrank.webhook_secrets WHERE expires_at < clock_timestamp()`);
    return (old.rowCount ?? 0) + (expired.rowCount ?? 0);
  });
}
