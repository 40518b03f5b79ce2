import { copyFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { WebhookVerificationError } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { env } from '#/env.ts';
import { deleteWebhook, updateWebhook } from '#/services/webhooks/change-webhook.ts';
import { pruneDeliveries } from '#/services/webhooks/hold-receiver.ts';
import { queueTest, redeliver } from '#/services/webhooks/queue-delivery.ts';
import { rotateSecret } from '#/services/webhooks/webhook-secrets.ts';
import {
  db,
  happen,
  one,
  owner,
  receive,
  rows,
  send,
  status,
  subscribe,
  undo,
  until,
  verified,
} from '../../test/webhook-scene.ts';
import { makeHost } from '../../test/worker-process.ts';

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
