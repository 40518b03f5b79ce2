import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asDelivery } from '#/db/tenancy.ts';
import { WEBHOOK_EVENTS, WEBHOOK_SECRETS_MAX, WEBHOOKS_PER_USER_MAX } from '#/domain/webhooks.ts';
import { addCaller, json, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
/** An address needs no look at a name. */
const PUBLIC = 'https://8.8.8.8/hook';
type Caller = Awaited<ReturnType<typeof addCaller>>;
let owner: Caller;
let stranger: Caller;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});
beforeEach(async () => {
  await noWaiting(db);
  await db.asOwner('DELETE FROM lowrank.webhooks');
});

const ask = (method: string, path: string, body?: unknown, who = owner, headers: Record<string, string> = {}) =>
  api.request(
    path,
    body === undefined ? { method, headers: { ...who.headers, ...headers } } : json(body, { ...who.headers, ...headers }, method),
  );
const told = async (answer: Response | Promise<Response>) => {
  const { status } = await answer;
  const text = await (await answer).text();
  return { status, body: text === '' ? null : JSON.parse(text), text };
};
const make = async (fields: object = {}, who = owner) => {
  const { status, body } = await told(ask('POST', '/api/webhooks', { url: PUBLIC, ...fields }, who));
  expect(status).toBe(201);
  return body;
};

describe('a webhook', () => {
  test('is made with its secret, which is told once and stored sealed', async () => {
    const made = await make({ description: 'Tell the team', events: ['job.failed', 'job.failed', 'dataset.ready'] });
    expect(made).toEqual({
      id: expect.any(String),
      url: PUBLIC,
      description: 'Tell the team',
      events: ['job.failed', 'dataset.ready'],
      enabled: true,
      disabled_reason: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const { secret, ...shown } = made;
    const list = await told(ask('GET', '/api/webhooks'));
    expect(list.body).toEqual({ webhooks: [shown], total: 1, total_is_estimate: false, limit: 50, offset: 0, next_cursor: null });
    expect((await told(ask('GET', `/api/webhooks/${made.id}`))).body).toEqual(shown);
    const stored = JSON.stringify([
      await db.asOwner('SELECT * FROM lowrank.webhook_secrets'),
      await db.asOwner('SELECT * FROM lowrank.webhooks'),
    ]);
    expect(stored).toContain('v1.');
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain(secret.slice(6));
  });

  test.each([
    ['without an address', {}, 'url', 'required'],
    ['that is no address', { url: 'hooks.example.org' }, 'url', 'invalid_url'],
    ['by plain http', { url: 'http://hooks.example.org/' }, 'url', 'https_required'],
    ['with a password in it', { url: 'https://me:secret@hooks.example.org/' }, 'url', 'invalid_url'],
    ['at another port', { url: 'https://8.8.8.8:6379/' }, 'url', 'port_not_allowed'],
    ['of this host', { url: 'https://localhost/' }, 'url', 'address_not_public'],
    ['of the network', { url: 'https://10.0.0.1/' }, 'url', 'address_not_public'],
    ['of the cloud', { url: 'https://169.254.169.254/latest' }, 'url', 'address_not_public'],
    ['of this host in IPv6', { url: 'https://[::1]/' }, 'url', 'address_not_public'],
    ['of this host in disguise', { url: 'https://[::ffff:127.0.0.1]/' }, 'url', 'address_not_public'],
    ['in octal', { url: 'https://0177.0.0.1/' }, 'url', 'invalid_url'],
    ['too long', { url: `${PUBLIC}?${'x'.repeat(2048)}` }, 'url', 'too_big'],
    ['an event that is none', { url: PUBLIC, events: ['job.*'] }, 'events.0', 'invalid_value'],
    ['the test event', { url: PUBLIC, events: ['webhook.test'] }, 'events.0', 'invalid_value'],
    ['another owner', { url: PUBLIC, user_id: NO_ID }, 'user_id', 'unknown_field'],
    ['a secret of its own', { url: PUBLIC, secret: 'whsec_x' }, 'secret', 'unknown_field'],
  ])('is refused %s', async (_, body, path, code) => {
    const answer = await told(ask('POST', '/api/webhooks', body));
    expect([answer.status, answer.body.details]).toEqual([400, [{ path, code, message: expect.any(String) }]]);
    expect(answer.text).not.toContain('secret@');
    expect((await told(ask('GET', '/api/webhooks'))).body.total).toBe(0);
  });

  test('takes every event that there is, and all of them when none is named', async () => {
    expect((await make({ events: WEBHOOK_EVENTS })).events).toEqual(WEBHOOK_EVENTS);
    expect((await make()).events).toEqual([]);
  });

  test('is changed in what is sent and nothing else, and its address is judged again', async () => {
    const { secret: _, ...made } = await make({ description: 'Old', events: ['job.failed'] });
    const changed = await told(ask('PATCH', `/api/webhooks/${made.id}`, { url: 'http://127.0.0.1:1/', enabled: false }));
    expect(changed.body).toEqual({ ...made, url: 'http://127.0.0.1:1/', enabled: false, updated_at: expect.any(String) });
    expect(changed.body.updated_at > made.updated_at).toBe(true);
    expect((await told(ask('PATCH', `/api/webhooks/${made.id}`, {}))).body).toEqual(changed.body);
    const refused = await told(ask('PATCH', `/api/webhooks/${made.id}`, { url: 'https://10.0.0.1/' }));
    expect([refused.status, refused.body.details[0].code]).toEqual([400, 'address_not_public']);
    expect((await told(ask('GET', `/api/webhooks/${made.id}`))).body).toEqual(changed.body);
  });

  test('is deleted with its secrets and its log', async () => {
    const { id } = await make();
    await ask('POST', `/api/webhooks/${id}/test`);
    expect((await ask('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
    expect((await ask('DELETE', `/api/webhooks/${id}`)).status).toBe(404);
    for (const table of ['webhooks', 'webhook_secrets', 'webhook_deliveries'])
      expect([table, await db.asOwner(`SELECT 1 FROM lowrank.${table}`)]).toEqual([table, []]);
  });

  test('is one of ten at most, also when they come at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: WEBHOOKS_PER_USER_MAX + 4 }, () => ask('POST', '/api/webhooks', { url: PUBLIC })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([
      ...Array<number>(WEBHOOKS_PER_USER_MAX).fill(201),
      ...Array<number>(4).fill(409),
    ]);
    const refused = answers.find((answer) => answer.status === 409);
    expect(await refused?.json()).toMatchObject({
      code: 'limit_reached',
      message: expect.stringMatching(/10 webhooks.*delete one/),
    });
    await make({}, stranger);
  });

  test('is made once by a request that is told twice, and its secret is in the first answer alone', async () => {
    const once = () => told(ask('POST', '/api/webhooks', { url: PUBLIC }, owner, { 'idempotency-key': 'once' }));
    const [first, again] = [await once(), await once()];
    const { secret, ...shown } = first.body;
    expect(secret).toMatch(/^whsec_/);
    expect([again.status, again.body]).toEqual([201, { ...shown, secret: null }]);
    expect((await told(ask('GET', '/api/webhooks'))).body.total).toBe(1);
    const kept = await db.asOwner(`SELECT convert_from(answer, 'UTF8') AS answer FROM lowrank.idempotency_keys`);
    expect(JSON.stringify(kept)).not.toContain(secret);
    await ask('DELETE', `/api/webhooks/${shown.id}`);
    // What it was answered stands, though it is gone: no second one is made.
    const gone = await once();
    expect([gone.status, gone.body.id, gone.body.secret]).toEqual([201, shown.id, null]);
    expect((await told(ask('GET', `/api/webhooks/${shown.id}`))).status).toBe(404);
  });

  test('lists are paged by offset and by cursor', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift((await make()).id);
    const page = async (query: string) => (await told(ask('GET', `/api/webhooks?${query}`))).body;
    const first = await page('limit=2');
    expect(first.webhooks.map((one: { id: string }) => one.id)).toEqual(ids.slice(0, 2));
    expect((await page(`limit=2&after=${first.next_cursor}`)).webhooks.map((one: { id: string }) => one.id)).toEqual(
      ids.slice(2),
    );
    expect((await page('offset=1&limit=1')).webhooks.map((one: { id: string }) => one.id)).toEqual([ids[1]]);
  });
});

describe('a new secret', () => {
  const signing = () =>
    db.asOwner<{ hours: number | null }>(
      'SELECT round(extract(epoch FROM expires_at - now()) / 3600)::int AS hours FROM lowrank.webhook_secrets ORDER BY created_at',
    );

  test('replaces the one before, which signs for a day more', async () => {
    const made = await make();
    const { status, body } = await told(ask('POST', `/api/webhooks/${made.id}/rotate`));
    expect([status, body]).toEqual([
      200,
      { id: made.id, secret: expect.stringMatching(/^whsec_/), previous_expires_at: expect.any(String) },
    ]);
    expect(body.secret).not.toBe(made.secret);
    expect(await signing()).toEqual([{ hours: 24 }, { hours: null }]);
  });

  test('is made once with one Idempotency-Key, and told once: also when the webhook is gone', async () => {
    const { id } = await make();
    const rotate = (of = id) => ask('POST', `/api/webhooks/${of}/rotate`, undefined, owner, { 'idempotency-key': 'rotate' });
    const first = await told(rotate());
    const again = await told(rotate());
    expect([first.status, first.body.secret]).toEqual([200, expect.stringMatching(/^whsec_/)]);
    expect([again.status, again.body]).toEqual([200, { ...first.body, secret: null }]);
    expect(await signing()).toEqual([{ hours: 24 }, { hours: null }]);
    await db.asOwner('UPDATE lowrank.idempotency_keys SET answer = NULL');
    expect((await told(rotate())).body).toEqual(again.body);
    expect((await told(rotate((await make()).id))).body.code).toBe('idempotency_key_reused');
    expect((await ask('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
    expect((await told(rotate())).body).toEqual(again.body);
  });

  test('is refused while too many sign, until one of them expires', async () => {
    const { id } = await make();
    const rotate = async () => (await ask('POST', `/api/webhooks/${id}/rotate`)).status;
    for (let i = 1; i < WEBHOOK_SECRETS_MAX; i++) expect(await rotate()).toBe(200);
    expect(await rotate()).toBe(409);
    expect((await signing()).length).toBe(WEBHOOK_SECRETS_MAX);
    await db.asOwner(
      `UPDATE lowrank.webhook_secrets SET expires_at = now() WHERE id = (SELECT id FROM lowrank.webhook_secrets ORDER BY expires_at LIMIT 1)`,
    );
    expect(await rotate()).toBe(200);
  });

  test('of many rotations at once leaves one in use', async () => {
    const { id } = await make();
    const answers = await Promise.all(Array.from({ length: 4 }, () => told(ask('POST', `/api/webhooks/${id}/rotate`))));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    expect((await signing()).filter((row) => row.hours === null).length).toBe(1);
  });
});

describe('deliveries', () => {
  test('of a test are queued, listed and told again', async () => {
    const { id } = await make({ events: ['job.failed'] });
    const queued = await told(ask('POST', `/api/webhooks/${id}/test`));
    expect([queued.status, queued.body]).toEqual([
      201,
      {
        id: expect.any(String),
        event: 'webhook.test',
        status: 'pending',
        attempts: 0,
        next_attempt_at: expect.any(String),
        last_attempt_at: null,
        last_status: null,
        last_error: null,
        delivered_at: null,
        tries: [],
        payload: { type: 'webhook.test', timestamp: expect.any(String), data: { webhook_id: id } },
        created_at: expect.any(String),
      },
    ]);
    const list = await told(ask('GET', `/api/webhooks/${id}/deliveries`));
    expect(list.body).toEqual({
      deliveries: [queued.body],
      total: 1,
      total_is_estimate: false,
      limit: 50,
      offset: 0,
      next_cursor: null,
    });
    await db.asOwner(`UPDATE lowrank.webhook_deliveries SET status = 'failed', attempts = 10`);
    const count = async (query: string) => (await told(ask('GET', `/api/webhooks/${id}/deliveries?${query}`))).body.total;
    expect([await count('status=failed'), await count('status=pending')]).toEqual([1, 0]);
    const again = await told(ask('POST', `/api/webhooks/${id}/deliveries/${queued.body.id}/redeliver`));
    expect([again.status, again.body]).toEqual([200, { ...queued.body, next_attempt_at: expect.any(String) }]);
  });

  test('of a test are queued once by a request that is told twice', async () => {
    const { id } = await make();
    const once = () => told(ask('POST', `/api/webhooks/${id}/test`, undefined, owner, { 'idempotency-key': 'test' }));
    const [first, again] = [await once(), await once()];
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(await db.asOwner('SELECT 1 FROM lowrank.webhook_deliveries')).toHaveLength(1);
  });

  test('are not queued for a webhook that is disabled', async () => {
    const { id } = await make();
    const { body } = await told(ask('POST', `/api/webhooks/${id}/test`));
    await ask('PATCH', `/api/webhooks/${id}`, { enabled: false });
    for (const path of ['test', `deliveries/${body.id}/redeliver`]) {
      const answer = await told(ask('POST', `/api/webhooks/${id}/${path}`));
      expect([path, answer.status, answer.body.message]).toEqual([path, 409, expect.stringContaining('enable it')]);
    }
  });
});

describe('a stranger', () => {
  test('finds no webhook, no delivery and no secret of somebody else’s, and changes none', async () => {
    const { id } = await make();
    const delivery = (await told(ask('POST', `/api/webhooks/${id}/test`))).body;
    const theirs = await make({}, stranger);
    const asked: [method: string, path: string, body?: unknown][] = [
      ['GET', `/api/webhooks/${id}`],
      ['PATCH', `/api/webhooks/${id}`, { url: PUBLIC }],
      ['PATCH', `/api/webhooks/${id}`, {}],
      ['DELETE', `/api/webhooks/${id}`],
      ['POST', `/api/webhooks/${id}/rotate`],
      ['POST', `/api/webhooks/${id}/test`],
      ['GET', `/api/webhooks/${id}/deliveries`],
      ['POST', `/api/webhooks/${id}/deliveries/${delivery.id}/redeliver`],
      ['POST', `/api/webhooks/${theirs.id}/deliveries/${delivery.id}/redeliver`],
    ];
    for (const [method, path, body] of asked) {
      const answer = await told(ask(method, path, body, stranger));
      expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 404, 'not_found']);
      const absent = await told(ask(method, path.replaceAll(id, NO_ID).replaceAll(delivery.id, NO_ID), body, stranger));
      expect(absent.body).toEqual({ ...answer.body, request_id: expect.any(String) });
    }
    expect((await told(ask('GET', '/api/webhooks', undefined, stranger))).body.total).toBe(1);
    for (const path of [`/api/webhooks?after=${id}`, `/api/webhooks/${theirs.id}/deliveries?after=${delivery.id}`])
      expect((await ask('GET', path, undefined, stranger)).status).toBe(400);
    const rows = await db.asOwner(
      'SELECT (SELECT count(*) FROM lowrank.webhook_secrets)::int AS secrets, (SELECT count(*) FROM lowrank.webhook_deliveries)::int AS deliveries',
    );
    expect(rows).toEqual([{ secrets: 2, deliveries: 1 }]);
    // The same as its owner: each finds what it is for.
    for (const [method, path, body] of asked.filter(([verb, path]) => verb !== 'DELETE' && !path.includes(theirs.id)))
      expect([method, path, (await ask(method, path, body)).status < 300]).toEqual([method, path, true]);
    expect((await ask('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
  });

  test('with a key that only reads sees webhooks and changes none', async () => {
    const reader = await addCaller(db, { scopes: ['read'] });
    expect((await ask('GET', '/api/webhooks', undefined, reader)).status).toBe(200);
    expect((await ask('POST', '/api/webhooks', { url: PUBLIC }, reader)).status).toBe(403);
    expect((await ask('POST', `/api/webhooks/${randomUUID()}/rotate`, undefined, reader)).status).toBe(403);
  });
});

test('the login that sends reaches webhooks and nothing else of anybody', async () => {
  await make();
  const count = async (table: string) => {
    const work = asDelivery(async (tx) => (await tx.execute(`SELECT 1 FROM ${table}`)).rowCount);
    return work.catch((error: { cause?: { code?: string } }) => error.cause?.code);
  };
  for (const table of ['webhooks', 'webhook_secrets']) expect([table, await count(`lowrank.${table}`)]).toEqual([table, 1]);
  for (const table of [
    'lowrank.training_jobs',
    'lowrank.notifications',
    'lowrank.datasets',
    'lowrank.settings',
    'identity.users',
    'identity.api_keys',
  ])
    expect([table, await count(table)]).toEqual([table, '42501']);
});
