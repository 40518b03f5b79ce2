/** Which events go out, and when a delivery is tried again. */
import { NOTIFICATION_TYPES, type NotificationType } from './notifications.ts';

type EventOf<T extends string> = T extends `${infer Subject}_${infer Verb}` ? `${Subject}.${Verb}` : never;

/** An event that a webhook can subscribe to: what a person is told of, in the spelling of Standard Webhooks. */
export type WebhookEvent = EventOf<NotificationType>;

export const webhookEventOf = (type: NotificationType): WebhookEvent => type.replace('_', '.') as WebhookEvent;

export const WEBHOOK_EVENTS = NOTIFICATION_TYPES.map(webhookEventOf) as [WebhookEvent, ...WebhookEvent[]];

/** What `POST /api/webhooks/{id}/test` sends, whatever the webhook subscribes to. */
export const WEBHOOK_TEST_EVENT = 'webhook.test';

/** pending: waits for its first or next try; failed: given up. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One try at a delivery, for its log. */
export interface DeliveryTry {
  /** ISO 8601, UTC */
  at: string;
  /** the receiver's status; null when there was no answer */
  status: number | null;
  error: string | null;
  duration_ms: number;
}

/** Why a webhook is disabled by us: its receiver answered 410 Gone. */
export const DISABLED_REASONS = ['gone'] as const;

export const WEBHOOKS_PER_USER_MAX = 10;
export const WEBHOOK_SECRETS_MAX = 5;
/** How long the secret before a rotation signs, too. */
export const RETIRED_SECRET_HOURS = 24;
/** How long the log of a settled delivery is kept. */
export const DELIVERY_LOG_DAYS = 30;
/** From the look at the receiver's name to the head of its answer. */
export const DELIVERY_TIMEOUT_MS = 15_000;

/** Seconds before the second to the tenth try (the schedule that Standard Webhooks suggests): 75.6 hours in all. */
const RETRY_DELAYS_S = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
export const DELIVERY_TRIES_MAX = RETRY_DELAYS_S.length + 1;
/** A pause varies by this share of itself, so that what failed together does not come again together. */
const JITTER = 0.2;
const RETRY_AFTER_MAX_S = 86_400;

/**
 * Seconds until the next try after `tries` failed ones, or null when it was the last. `random` is from 0 to 1; `retry_after_s`
 * is what the receiver asked for, which only lengthens the pause.
 */
export function retryDelay(tries: number, random: number, retry_after_s: number | null): number | null {
  const pause_s = RETRY_DELAYS_S[tries - 1];
  if (pause_s === undefined) return null;
  return Math.max(pause_s * (1 + JITTER * (2 * random - 1)), retry_after_s ?? 0);
}

/** A `Retry-After` header (RFC 9110: seconds or a date) in seconds from now, at most a day; null for none or nonsense. */
export function readRetryAfter(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now.getTime()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), RETRY_AFTER_MAX_S) : null;
}
