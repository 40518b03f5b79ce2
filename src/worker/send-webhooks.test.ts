import type { ServerResponse } from 'node:http';
import { WebhookVerificationError } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { DELIVERY_TRIES_MAX } from '#/domain/webhooks.ts';
import { deleteWebhook, updateWebhook } from '#/services/webhooks/change-webhook.ts';
import { queueDeliveries } from '#/services/webhooks/queue-delivery.ts';
import { outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { addPerson } from '../../test/factories.ts';
import type { Received, Receiver } from '../../test/receiver.ts';
import {
  db,
  happen,
  hurry,
  one,
  owner,
  receive,
  rows,
  send,
  status,
  subscribe,
  until,
  verified,
} from '../../test/webhook-scene.ts';

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
