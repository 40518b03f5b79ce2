import { copyFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { DELIVERY_TRIES_MAX, type DeliveryTry, type WebhookEvent } from '#/domain/webhooks.ts';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { listenForWork } from '#/services/jobs/wait-for-work.ts';
import { deleteWebhook, updateWebhook } from '#/services/webhooks/change-webhook.ts';
import { createWebhook } from '#/services/webhooks/create-webhook.ts';
import { pruneDeliveries } from '#/services/webhooks/hold-receiver.ts';
import { queueDeliveries, queueTest, redeliver } from '#/services/webhooks/queue-delivery.ts';
import { rotateSecret } from '#/services/webhooks/webhook-secrets.ts';
import { outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';
import { type Received, type Receiver, startReceiver } from '../../test/receiver.ts';
import { makeHost } from '../../test/worker-process.ts';
import { type SendingOptions, sendWebhooks } from './send-webhooks.ts';

const db = useDatabase();
const undo: (() => Promise<unknown>)[] = [];
let owner: Context;

beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  owner = { user_id: await addPerson(db), role: 'user' };
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function receive(answer?: (response: ServerResponse, request: Received) => void): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  undo.push(() => receiver.close());
  return receiver;
}
const status =
  (...codes: number[]) =>
  (response: ServerResponse) =>
    response.writeHead(codes.length > 1 ? (codes.shift() ?? 500) : (codes[0] ?? 500)).end();

const subscribe = async (to: Receiver, who = owner) => {
  const made = await createWebhook(who, { url: `${to.url}/hook`, description: '', events: [], enabled: true });
  return { id: made.webhook.id, secret: made.secret ?? '' };
};
const happen = (event: WebhookEvent = 'job.completed', data: Record<string, unknown> = { job_id: '1' }, who = owner) =>
  asUser(who.user_id, (tx) => queueDeliveries(tx, who.user_id, event, data));

/** Sends from now to the end of the test; what it answers ends it sooner. */
function send(options: Partial<SendingOptions> = {}): () => Promise<void> {
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

const rows = () =>
  db.asOwner<Row>(
    `SELECT *, extract(epoch FROM next_attempt_at - clock_timestamp())::float8 AS in_s FROM lowrank.webhook_deliveries ORDER BY created_at, id`,
  );

/** Waits until something holds of the deliveries; fails with what they are instead. */
async function until(holds: (deliveries: Row[]) => boolean): Promise<Row[]> {
  const end = performance.now() + 30_000;
  for (;;) {
    const found = await rows();
    if (holds(found)) return found;
    if (performance.now() > end) throw new Error(`not within 30 s: ${JSON.stringify(found)}`);
    await pause(10);
  }
}
const one = async (holds: (delivery: Row) => boolean): Promise<Row> => {
  const [row] = await until((found) => found[0] !== undefined && holds(found[0]));
  return row as Row;
};

/** Lets the next try come now. */
const hurry = () =>
  db.asOwner(
    `UPDATE lowrank.webhook_deliveries SET next_attempt_at = clock_timestamp(), status = status WHERE status = 'pending'`,
  );

const headersOf = (request: Received | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(request?.headers ?? {}).map(([name, value]) => [name, String(value)]));
const verified = (secret: string, request: Received | undefined): unknown =>
  new Webhook(secret).verify(request?.body ?? '', headersOf(request));

describe('a delivery', () => {
  test('arrives signed, as Standard Webhooks verifies it, and is told as delivered', async () => {
    const to = await receive();
    const { secret } = await subscribe(to);
    send();
    await happen('job.failed', { job_id: '7', name: 'A "run"\r\nwith <all>\u2028' });
    const row = await one((delivery) => delivery.status === 'delivered');
    const [got] = to.got;
    expect(got).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: { 'content-type': 'application/json', 'webhook-id': row.id, host: to.host },
    });
    expect(verified(secret, got)).toEqual({
      type: 'job.failed',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      data: { job_id: '7', name: 'A "run"\r\nwith <all>\u2028' },
    });
    expect(row).toMatchObject({ attempts: 1, last_status: 200, last_error: null, delivered_at: expect.any(Date) });
    expect(row.tries).toEqual([{ at: expect.any(String), status: 200, error: null, duration_ms: expect.any(Number) }]);
    const changed = { ...(got as Received), body: got?.body.replace('7', '8') ?? '' };
    expect(() => verified(secret, changed)).toThrow(WebhookVerificationError);
    expect(() => verified(`whsec_${Buffer.alloc(32).toString('base64')}`, got)).toThrow(WebhookVerificationError);
  });

  test('goes to each who subscribed to it, to nobody who did not, and to nobody of another person', async () => {
    const [all, some, off, theirs] = [await receive(), await receive(), await receive(), await receive()];
    await subscribe(all);
    await updateWebhook(owner, (await subscribe(some)).id, { events: ['job.failed'] });
    await updateWebhook(owner, (await subscribe(off)).id, { enabled: false });
    await subscribe(theirs, { user_id: await addPerson(db), role: 'user' });
    send();
    await happen('job.started');
    await happen('job.failed');
    await Promise.all([all.until(2), some.until(1)]);
    await until((found) => found.every((delivery) => delivery.status === 'delivered'));
    const events = (to: Receiver) => to.got.map((request) => JSON.parse(request.body).type).sort();
    expect([events(all), events(some), events(off), events(theirs)]).toEqual([
      ['job.failed', 'job.started'],
      ['job.failed'],
      [],
      [],
    ]);
  });

  test('is not there when what happened was rolled back', async () => {
    await subscribe(await receive());
    const lost = asUser(owner.user_id, async (tx) => {
      await queueDeliveries(tx, owner.user_id, 'job.queued', {});
      throw new Error('no commit');
    });
    await expect(lost).rejects.toThrow('no commit');
    expect(await rows()).toEqual([]);
  });

  test('that is refused comes again under the same id and body, signed anew, until it is taken', async () => {
    const to = await receive(status(500, 503, 200));
    const { secret } = await subscribe(to);
    send();
    await happen();
    for (const [attempts, code, at_least] of [
      [1, 500, 3],
      [2, 503, 200],
    ] as const) {
      const row = await one((delivery) => delivery.attempts === attempts);
      expect(row).toMatchObject({ status: 'pending', last_status: code, last_error: 'refused', delivered_at: null });
      expect(row.in_s).toBeGreaterThan(at_least);
      await hurry();
    }
    const row = await one((delivery) => delivery.status === 'delivered');
    expect(row.tries.map((made) => made.status)).toEqual([500, 503, 200]);
    expect(new Set(to.got.map((request) => request.headers['webhook-id']))).toEqual(new Set([row.id]));
    expect(new Set(to.got.map((request) => request.body)).size).toBe(1);
    for (const request of to.got) verified(secret, request);
  });

  test('is given up after the tenth try', async () => {
    const to = await receive(status(500));
    await subscribe(to);
    send();
    await happen();
    for (let attempts = 1; attempts < DELIVERY_TRIES_MAX; attempts++) {
      await one((delivery) => delivery.attempts === attempts);
      await hurry();
    }
    expect(await one((delivery) => delivery.status !== 'pending')).toMatchObject({
      status: 'failed',
      attempts: 10,
      last_status: 500,
    });
    expect(to.got.length).toBe(DELIVERY_TRIES_MAX);
  });

  test('waits as long as its receiver asks', async () => {
    const to = await receive((response) => response.writeHead(429, { 'retry-after': '7200' }).end());
    await subscribe(to);
    send();
    await happen();
    const row = await one((delivery) => delivery.attempts === 1);
    expect(row.in_s).toBeGreaterThan(7_100);
    expect(row.in_s).toBeLessThanOrEqual(7_200);
  });

  test('whose receiver takes too long comes again, and its late answer changes nothing', async () => {
    const late: ServerResponse[] = [];
    const to = await receive((response) => {
      late.push(response);
      if (late.length > 1) response.end();
    });
    await subscribe(to);
    send({ timeout_ms: 200 });
    await happen();
    expect(await one((delivery) => delivery.attempts === 1)).toMatchObject({ last_status: null, last_error: 'timeout' });
    late[0]?.end();
    await hurry();
    const row = await one((delivery) => delivery.status === 'delivered');
    expect(to.got.map((request) => request.headers['webhook-id'])).toEqual([row.id, row.id]);
  });

  test('whose answer has a body that never ends is delivered all the same', async () => {
    const to = await receive((response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'.repeat(1000)), 5);
      response.once('close', () => clearInterval(drip));
    });
    await subscribe(to);
    send();
    await happen();
    expect(await one((delivery) => delivery.status !== 'pending')).toMatchObject({ status: 'delivered', last_status: 200 });
  });

  test('is not sent on where its receiver points', async () => {
    const inner = await receive();
    const to = await receive((response) => response.writeHead(307, { location: inner.url }).end());
    await subscribe(to);
    send();
    await happen();
    expect(await one((delivery) => delivery.attempts === 1)).toMatchObject({
      status: 'pending',
      last_status: 307,
      last_error: 'redirected',
    });
    expect(inner.got).toEqual([]);
  });

  test('that finds nobody there comes again', async () => {
    const to = await receive();
    await subscribe(to);
    await to.close();
    send();
    await happen();
    expect(await one((delivery) => delivery.attempts === 1)).toMatchObject({
      status: 'pending',
      last_error: 'connection_failed',
    });
  });

  test('goes nowhere inside, though its address got into the database', async () => {
    const to = await receive();
    const { id } = await subscribe(to);
    send({ means: outboundMeans([]) });
    await happen();
    expect(await one((delivery) => delivery.attempts === 1)).toMatchObject({ last_status: null, last_error: 'https_required' });
    await db.asOwner('UPDATE lowrank.webhooks SET url = $1 WHERE id = $2', [`https://127.0.0.1:8443/`, id]);
    await hurry();
    expect(await one((delivery) => delivery.attempts === 2)).toMatchObject({
      last_status: null,
      last_error: 'address_not_public',
    });
    expect(to.got).toEqual([]);
  });

  test('is not sent without the secret that it is to be signed with', async () => {
    const to = await receive();
    const { id } = await subscribe(to);
    const other = await subscribe(await receive());
    await db.asOwner(
      'UPDATE lowrank.webhook_secrets s SET sealed = o.sealed FROM lowrank.webhook_secrets o WHERE s.webhook_id = $1 AND o.webhook_id = $2',
      [id, other.id],
    );
    await deleteWebhook(owner, other.id);
    send();
    await happen();
    expect(await one((delivery) => delivery.attempts === 1)).toMatchObject({
      status: 'pending',
      last_error: 'secret_unreadable',
    });
    expect(to.got).toEqual([]);
  });
});

describe('a receiver', () => {
  test('that is gone for good is disabled, and gets what waits once it is enabled again', async () => {
    const to = await receive(status(410, 200));
    const { id } = await subscribe(to);
    await happen('job.started');
    await happen('job.completed');
    send();
    const [first, second] = await until((found) => found.some((delivery) => delivery.status === 'failed'));
    expect([first, second]).toMatchObject([
      { status: 'failed', last_status: 410, last_error: 'gone', attempts: 1 },
      { status: 'pending', attempts: 0 },
    ]);
    const state = () => db.asOwner('SELECT enabled, disabled_reason FROM lowrank.webhooks WHERE id = $1', [id]);
    expect(await state()).toEqual([{ enabled: false, disabled_reason: 'gone' }]);
    await happen('job.failed');
    expect((await rows()).length).toBe(2);
    await updateWebhook(owner, id, { enabled: true });
    await until((found) => found[1]?.status === 'delivered');
    expect(await state()).toEqual([{ enabled: true, disabled_reason: null }]);
    expect(to.got.length).toBe(2);
  });

  test('that is slow delays nobody else, not even where few are sent to at once, and gets one at a time', async () => {
    const slow = await receive(() => undefined);
    const fast = await receive();
    await subscribe(slow);
    await subscribe(fast);
    send({ receivers_at_once: 2, timeout_ms: 60_000 });
    for (let i = 0; i < 10; i++) await happen();
    await fast.until(10);
    expect(slow.got.length).toBe(1);
  });

  test('has two senders, and gets each delivery once', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => receive()));
    for (const to of all) await subscribe(to);
    send();
    send();
    await Promise.all(Array.from({ length: 12 }, () => happen()));
    await until((found) => found.length === 48 && found.every((delivery) => delivery.status === 'delivered'));
    for (const to of all) expect(new Set(to.got.map((request) => request.headers['webhook-id'])).size).toBe(12);
    expect(all.map((to) => to.got.length)).toEqual([12, 12, 12, 12]);
  });

  test('can change over to a new secret: the one before signs beside it until it expires', async () => {
    const to = await receive();
    const { id, secret } = await subscribe(to);
    const { secret: newer } = await rotateSecret(owner, id);
    send();
    await happen();
    await to.until(1);
    expect(String(to.got[0]?.headers['webhook-signature']).split(' ').length).toBe(2);
    for (const one_of_both of [secret, newer]) verified(one_of_both, to.got[0]);
    await db.asOwner(`UPDATE lowrank.webhook_secrets SET expires_at = clock_timestamp() WHERE expires_at IS NOT NULL`);
    await happen();
    await to.until(2);
    verified(newer, to.got[1]);
    expect(() => verified(secret, to.got[1])).toThrow(WebhookVerificationError);
  });

  test('that is deleted while it is sent to takes its deliveries with it', async () => {
    const open: ServerResponse[] = [];
    const to = await receive((response) => open.push(response));
    const { id } = await subscribe(to);
    const stop = send();
    await happen();
    await to.until(1);
    await deleteWebhook(owner, id);
    open[0]?.end();
    await stop();
    expect(await rows()).toEqual([]);
  });
});

describe('a sender', () => {
  test('sends a test, and a delivery again under the same id', async () => {
    const to = await receive(status(200));
    const { id } = await subscribe(to);
    send();
    const queued = await queueTest(owner, id);
    await one((delivery) => delivery.status === 'delivered');
    await redeliver(owner, id, queued.id);
    await to.until(2);
    const row = await one((delivery) => delivery.status === 'delivered' && delivery.tries.length === 2);
    expect(row.attempts).toBe(1);
    expect(to.got.map((request) => [request.headers['webhook-id'], JSON.parse(request.body).type])).toEqual([
      [queued.id, 'webhook.test'],
      [queued.id, 'webhook.test'],
    ]);
  });

  test('that stops lets go of what is under way without counting it', async () => {
    const to = await receive(() => undefined);
    await subscribe(to);
    const stop = send();
    await happen();
    await to.until(1);
    await stop();
    expect(await rows()).toMatchObject([{ status: 'pending', attempts: 0, tries: [] }]);
    send();
    await to.until(2);
    expect(to.got[1]?.headers['webhook-id']).toBe(to.got[0]?.headers['webhook-id']);
  });

  test('that is killed in mid-delivery is followed by one that delivers it under the same id', async () => {
    const to = await receive((response) => {
      if (to.got.length > 1) response.end();
    });
    const host = await makeHost(db);
    undo.push(() => host.end());
    const { secret } = await subscribe(to);
    // One installation: who sends has the key of who sealed.
    await copyFile(join(env.data_dir, 'secrets-key'), join(host.data_dir, 'secrets-key'));
    const worker = await host.start();
    await happen();
    await to.until(1);
    worker.child.kill('SIGKILL');
    await worker.gone;
    await host.start();
    await to.until(2);
    await one((delivery) => delivery.status === 'delivered');
    expect(to.got[1]).toMatchObject({ body: to.got[0]?.body, headers: { 'webhook-id': to.got[0]?.headers['webhook-id'] } });
    verified(secret, to.got[1]);
  });

  test('removes what is settled and old, and secrets that sign nothing any more', async () => {
    const to = await receive();
    const { id } = await subscribe(to);
    await rotateSecret(owner, id);
    for (let i = 0; i < 3; i++) await happen();
    const [old = '', waiting = '', fresh = ''] = (await rows()).map((row) => row.id);
    await db.asOwner(`UPDATE lowrank.webhook_deliveries SET status = 'delivered' WHERE id = ANY ($1)`, [[old, fresh]]);
    await db.asOwner(`UPDATE lowrank.webhook_deliveries SET created_at = now() - interval '31 days' WHERE id = ANY ($1)`, [
      [old, waiting],
    ]);
    await db.asOwner(`UPDATE lowrank.webhook_secrets SET expires_at = now() WHERE expires_at IS NOT NULL`);
    expect(await pruneDeliveries()).toBe(2);
    expect((await rows()).map((row) => row.id).sort()).toEqual([waiting, fresh].sort());
    expect(await db.asOwner('SELECT 1 FROM lowrank.webhook_secrets WHERE expires_at IS NOT NULL')).toEqual([]);
    await updateWebhook(owner, id, { enabled: false });
    expect(await pruneDeliveries()).toBe(1);
  });
});
