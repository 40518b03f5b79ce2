/** A person, receivers of theirs and a sender, and what became of the deliveries: for the tests of webhooks. */
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import type { DeliveryTry, WebhookEvent } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import { listenForWork } from '#/services/jobs/wait-for-work.ts';
import { createWebhook } from '#/services/webhooks/create-webhook.ts';
import { queueDeliveries } from '#/services/webhooks/queue-delivery.ts';
import { outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { type SendingOptions, sendWebhooks } from '#/worker/send-webhooks.ts';
import { useDatabase } from './database.ts';
import { addPerson } from './factories.ts';
import { type Received, type Receiver, startReceiver } from './receiver.ts';

export const db = useDatabase();
export const undo: (() => Promise<unknown>)[] = [];
export let owner: Context;

beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  owner = { user_id: await addPerson(db), role: 'user' };
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

export async function receive(answer?: (response: ServerResponse, request: Received) => void): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  undo.push(() => receiver.close());
  return receiver;
}
export const status =
  (...codes: number[]) =>
  (response: ServerResponse) =>
    response.writeHead(codes.length > 1 ? (codes.shift() ?? 500) : (codes[0] ?? 500)).end();

export const subscribe = async (to: Receiver, who = owner) => {
  const made = await createWebhook(who, { url: `${to.url}/hook`, description: '', events: [], enabled: true });
  return { id: made.webhook.id, secret: made.secret ?? '' };
};
export const happen = (event: WebhookEvent = 'job.completed', data: Record<string, unknown> = { job_id: '1' }, who = owner) =>
  asUser(who.user_id, (tx) => queueDeliveries(tx, who.user_id, event, data));

/** Sends from now to the end of the test; what it answers ends it sooner. */
export function send(options: Partial<SendingOptions> = {}): () => Promise<void> {
  const stopping = new AbortController();
  const bell = listenForWork();
  const running = sendWebhooks(
    { stopping: stopping.signal, log: pino({ level: 'silent' }), times: scaledPromiseTimes(20) },
    bell.ear(),
    { timeout_ms: 10_000, receivers_at_once: 20, means: outboundMeans(['127.0.0.1']), ...options },
  );
  const stop = async () => {
    stopping.abort();
    bell.ring();
    await running;
    await bell.close();
  };
  undo.push(stop);
  return stop;
}

interface Row {
  id: string;
  status: string;
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  delivered_at: Date | null;
  tries: DeliveryTry[];
  /** Seconds until the next try. */
  in_s: number;
}

export const rows = () =>
  db.asOwner<Row>(
    `SELECT *, extract(epoch FROM next_attempt_at - clock_timestamp())::float8 AS in_s FROM lowrank.webhook_deliveries ORDER BY created_at, id`,
  );

/** Waits until something holds of the deliveries; fails with what they are instead. */
export async function until(holds: (deliveries: Row[]) => boolean): Promise<Row[]> {
  const end = performance.now() + 30_000;
  for (;;) {
    const found = await rows();
    if (holds(found)) return found;
    if (performance.now() > end) throw new Error(`not within 30 s: ${JSON.stringify(found)}`);
    await pause(10);
  }
}
export const one = async (holds: (delivery: Row) => boolean): Promise<Row> => {
  const [row] = await until((found) => found[0] !== undefined && holds(found[0]));
  return row as Row;
};

/** Lets the next try come now. */
export const hurry = () =>
  db.asOwner(
    `UPDATE lowrank.webhook_deliveries SET next_attempt_at = clock_timestamp(), status = status WHERE status = 'pending'`,
  );

const headersOf = (request: Received | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(request?.headers ?? {}).map(([name, value]) => [name, String(value)]));
export const verified = (secret: string, request: Received | undefined): unknown =>
  new Webhook(secret).verify(request?.body ?? '', headersOf(request));
