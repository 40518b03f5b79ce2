/** Sends the outbox: whatever is due, each receiver one delivery at a time, many receivers side by side. */
import { setTimeout as pause } from 'node:timers/promises';
import { DELIVERY_TIMEOUT_MS, type DeliveryTry, readRetryAfter, retryDelay } from '#/domain/webhooks.ts';
import { env } from '#/env.ts';
import type { WorkEar } from '#/services/jobs/wait-for-work.ts';
import {
  type DeliveryOutcome,
  type HeldDelivery,
  holdReceivers,
  openSecrets,
  settleDelivery,
} from '#/services/webhooks/hold-receiver.ts';
import { signDelivery } from '#/services/webhooks/sign-delivery.ts';
import { type OutboundMeans, outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { OutboundError } from '#/storage/outbound/outbound-error.ts';
import { type OutboundAnswer, sendOutbound } from '#/storage/outbound/send-outbound.ts';
import { isFenced } from './patience.ts';
import { attempt } from './steady.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Receivers that are sent to at once: each costs a socket. */
const RECEIVERS_AT_ONCE = 100;
/** A hold outlives a try by this much. */
const LEASE_MARGIN_MS = 15_000;
/** Between two rounds at least this long, however often the bell rings. */
const ROUND_MS = 20;

export interface SendingOptions {
  timeout_ms: number;
  receivers_at_once: number;
  means: OutboundMeans;
}

const OPTIONS: SendingOptions = {
  timeout_ms: DELIVERY_TIMEOUT_MS / env.LOWRANK_TIME_DIVISOR,
  receivers_at_once: RECEIVERS_AT_ONCE,
  means: outboundMeans(env.OUTBOUND_TRUSTED_HOSTS),
};

/** What the sender needs of a worker. */
type SenderParts = Pick<WorkerParts, 'log' | 'stopping' | 'times'>;

/** Sends until the worker stops, whenever the bell rings and at least once a sweep. What is under way then is let go untried. */
export async function sendWebhooks(parts: SenderParts, ear: WorkEar, options: SendingOptions = OPTIONS): Promise<void> {
  const sending = new Set<Promise<unknown>>();
  const lease_ms = options.timeout_ms + LEASE_MARGIN_MS / env.LOWRANK_TIME_DIVISOR;
  const fill = async (): Promise<void> => {
    while (!parts.stopping.aborted && sending.size < options.receivers_at_once) {
      const held = await holdReceivers(options.receivers_at_once - sending.size, lease_ms);
      if (held.length === 0) return;
      for (const one of held) {
        const sent = attempt(parts, () => deliver(one, options, parts.stopping)).finally(() => {
          sending.delete(sent);
          // Its receiver may have more to come.
          ear.ring();
        });
        sending.add(sent);
      }
    }
  };
  while (!parts.stopping.aborted) {
    await attempt(parts, fill);
    await pause(ROUND_MS);
    await ear.wait(parts.times.sweep_ms);
  }
  await Promise.all(sending);
}

/** One try at a delivery that is held, and its settlement. */
async function deliver(held: HeldDelivery, options: SendingOptions, stopping: AbortSignal): Promise<void> {
  const outcome = await tryOnce(held, options, stopping);
  await settleDelivery(held, outcome).catch((error: unknown) => {
    // Deleted meanwhile, or held by another sender since: it is no longer ours to settle.
    if (!isFenced(error)) throw error;
  });
}

async function tryOnce(held: HeldDelivery, options: SendingOptions, stopping: AbortSignal): Promise<DeliveryOutcome> {
  const began = performance.now();
  const made = (status: number | null, error: string | null): DeliveryTry => ({
    at: held.now.toISOString(),
    status,
    error,
    duration_ms: Math.round(performance.now() - began),
  });
  const secrets = await openSecrets(held);
  if (secrets === null) return failed(held, made(null, 'secret_unreadable'), null);
  try {
    const answer = await sendOutbound(
      {
        url: held.url,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Lowrank-Webhooks/1',
          ...signDelivery(held.delivery_id, held.payload, secrets, held.now),
        },
        body: held.payload,
        timeout_ms: options.timeout_ms,
        signal: stopping,
      },
      options.means,
    );
    return judge(held, answer, made);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    return error.code === 'stopped' ? { kind: 'untried' } : failed(held, made(null, error.code), null);
  }
}

function judge(
  held: HeldDelivery,
  { status, headers }: OutboundAnswer,
  made: (status: number, error: string | null) => DeliveryTry,
): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', made: made(status, null) };
  if (status === 410) return { kind: 'failed', made: made(status, 'gone'), gone: true };
  const error = status >= 300 && status < 400 ? 'redirected' : 'refused';
  return failed(held, made(status, error), readRetryAfter(headers['retry-after'], held.now));
}

function failed(held: HeldDelivery, made: DeliveryTry, retry_after_s: number | null): DeliveryOutcome {
  const delay_s = retryDelay(held.attempts + 1, Math.random(), retry_after_s);
  return delay_s === null
    ? { kind: 'failed', made, gone: false }
    : { kind: 'again', made, delay_s: delay_s / env.LOWRANK_TIME_DIVISOR };
}
