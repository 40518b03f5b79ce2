import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { createLocalKey, ownerOfApiKey } from '#/services/people/api-keys.ts';
import { addBrowser, addCaller, makeOwner, OWN_ORIGIN, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { forgetCredentials } from './authenticate.ts';

const db = useDatabase();
const api = useApi();
const { post, me } = api;
const NO_ID = '00000000-0000-4000-8000-000000000000';

describe('an API key', () => {
  let admin: { id: string; cookie: string };
  beforeAll(async () => {
    admin = await makeOwner(db, api);
  });
  const withCookie = () => ({ cookie: admin.cookie, ...OWN_ORIGIN });
  const make = async (body: object, headers: Record<string, string> = withCookie()) => {
    const answer = await post('/api/keys', body, headers);
    return { status: answer.status, body: await answer.json() };
  };
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

  test('is shown once, stored as a hash, listed by its prefix and works', async () => {
    const { status, body } = await make({ name: 'laptop' });
    expect(status).toBe(201);
    expect(body.key).toMatch(/^lowrank_[0-9A-Za-z]{49}$/);
    expect(await (await me(bearer(body.key))).json()).toMatchObject({
      user: { id: admin.id },
      credential: { kind: 'api_key', scopes: ['read', 'write'] },
    });
    const listed = await (await api.request('/api/keys', { headers: withCookie() })).json();
    const { key, ...shown } = body;
    expect(listed.keys[0]).toMatchObject({ ...shown, last_used_at: expect.any(String) });
    expect(JSON.stringify(listed)).not.toContain(key);
    expect(JSON.stringify(await db.asOwner('SELECT * FROM identity.api_keys'))).not.toContain(key);
  });

  test('with a wrong checksum is refused without asking the database', async () => {
    const { body } = await make({ name: 'typo' });
    const typo = body.key.slice(0, -1) + (body.key.endsWith('a') ? 'b' : 'a');
    // A pool that cannot connect would answer 503 if it were asked.
    await db.asOwner('ALTER TABLE identity.api_keys RENAME TO api_keys_away');
    try {
      expect((await me(bearer(typo))).status).toBe(401);
      forgetCredentials();
      expect((await me(bearer(body.key))).status).toBe(500);
    } finally {
      await db.asOwner('ALTER TABLE identity.api_keys_away RENAME TO api_keys');
    }
  });

  test.each([
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearer lowrank_x',
    `Bearer ${'x'.repeat(10_000)}`,
    'Bearer schlüssel',
    'Bearer a, Bearer b',
    `Bearer lowrank_${'A'.repeat(43)}000000`,
  ])('in the header %.40s is refused', async (authorization) => {
    const answer = await me({ authorization });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="lowrank"']);
  });

  test('that is revoked elsewhere stops within 5 s, here at once', async () => {
    const [one, two] = [await make({ name: 'one' }), await make({ name: 'two' })];
    expect((await me(bearer(one.body.key))).status).toBe(200);
    expect((await me(bearer(two.body.key))).status).toBe(200);
    const revoked = await api.request(`/api/keys/${one.body.id}`, { method: 'DELETE', headers: withCookie() });
    expect([revoked.status, (await revoked.json()).revoked_at]).toEqual([200, expect.any(String)]);
    expect((await me(bearer(one.body.key))).status).toBe(401);
    expect((await me(bearer(two.body.key))).status).toBe(200);
    await db.asOwner('UPDATE identity.api_keys SET revoked_at = now() WHERE id = $1', [two.body.id]);
    await pause(4_100);
    expect((await me(bearer(two.body.key))).status).toBe(401);
  });

  test('of somebody else is not found', async () => {
    const { body } = await make({ name: 'mine' });
    const { headers } = await addBrowser(db);
    expect((await api.request(`/api/keys/${body.id}`, { method: 'DELETE', headers })).status).toBe(404);
    expect((await me(bearer(body.key))).status).toBe(200);
  });

  test('that only reads changes nothing, and one that only writes reads nothing', async () => {
    const { body } = await make({ name: 'reader', scopes: ['read'] });
    expect((await api.request('/api/jobs', { headers: bearer(body.key) })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/api/jobs'],
      ['POST', `/api/jobs/${NO_ID}/cancel`],
      ['DELETE', `/api/datasets/${NO_ID}`],
    ] as const) {
      const answer = await api.request(path, { method, headers: bearer(body.key) });
      expect([answer.status, (await answer.json()).code]).toEqual([403, 'insufficient_scope']);
    }
    const writer = await make({ name: 'writer', scopes: ['write'] });
    expect((await api.request('/api/jobs', { headers: bearer(writer.body.key) })).status).toBe(403);
  });

  test('makes, lists and revokes no keys and invites nobody, whatever it may: who steals one cannot make it last', async () => {
    const { body } = await make({ name: 'stolen' });
    for (const headers of [bearer(body.key), { ...bearer(body.key), ...withCookie() }]) {
      for (const [method, path] of [
        ['POST', '/api/keys'],
        ['GET', '/api/keys'],
        ['DELETE', `/api/keys/${body.id}`],
        ['POST', '/api/invitations'],
        ['POST', '/api/auth/sign-out'],
        ['POST', '/api/auth/change-password'],
      ] as const) {
        const answer = await api.request(path, { method, headers });
        const told = await answer.json();
        expect([method, path, answer.status, told.code]).toEqual([method, path, 403, 'session_required']);
        expect(told.message).toContain('sign in to the studio in a browser');
      }
    }
    expect((await me(bearer(body.key))).status).toBe(200);
  });

  test('cannot be made for somebody else', async () => {
    const { status, body } = await make({ name: 'theirs', user_id: '00000000-0000-4000-8000-000000000000' });
    expect([status, body.details[0].code]).toEqual([400, 'unknown_field']);
  });

  test('ends when it says, and never in the past', async () => {
    expect((await make({ name: 'past', expires_at: '2020-01-01T00:00:00Z' })).status).toBe(400);
    const { body } = await make({ name: 'soon', expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    await db.asOwner(`UPDATE identity.api_keys SET expires_at = now() - interval '1 second' WHERE id = $1`, [body.id]);
    expect((await me(bearer(body.key))).status).toBe(401);
  });

  test('together with the cookie of somebody else is ambiguous; with one’s own it is fine', async () => {
    const { headers } = await addCaller(db);
    expect(await (await me({ cookie: admin.cookie, ...headers })).json()).toMatchObject({ code: 'ambiguous_credentials' });
    const { body } = await make({ name: 'both' });
    expect((await me({ cookie: admin.cookie, ...bearer(body.key) })).status).toBe(200);
  });

  describe('of a request that is told twice', () => {
    const once = (body: object, key: string) => post('/api/keys', body, { ...withCookie(), 'idempotency-key': key });
    const count = async () =>
      (await db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM identity.api_keys WHERE user_id = $1', [admin.id]))[0]?.n;

    test('is made once; the second answer is the first without its secret, which is kept nowhere', async () => {
      const before = (await count()) ?? 0;
      const [first, again] = [await once({ name: 'once' }, 'twice'), await once({ name: 'once' }, 'twice')];
      const { key, ...told } = await first.json();
      expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([201, null]);
      expect([again.status, again.headers.get('idempotent-replayed'), await again.json()]).toEqual([
        201,
        'true',
        { ...told, key: null },
      ]);
      expect(await count()).toBe(before + 1);
      expect((await me(bearer(key))).status).toBe(200);
      const kept = await db.asOwner<{ answer: string }>(
        `SELECT convert_from(answer, 'UTF8') AS answer FROM lowrank.idempotency_keys`,
      );
      expect(JSON.stringify(kept)).toContain(told.id);
      expect(JSON.stringify(kept)).not.toContain(key);
    });

    test('is told again without its secret, too, when the process ended between its commit and its answer', async () => {
      const first = await (await once({ name: 'lost' }, 'lost')).json();
      await db.asOwner(`UPDATE lowrank.idempotency_keys SET answer = NULL WHERE key = 'lost'`);
      expect(await (await once({ name: 'lost' }, 'lost')).json()).toEqual({ ...first, key: null });
    });

    test('is refused with another body, while the first still runs, and not stored when it breaks a rule', async () => {
      await once({ name: 'one' }, 'other');
      const other = await once({ name: 'two' }, 'other');
      expect([other.status, (await other.json()).code]).toEqual([409, 'idempotency_key_reused']);
      await db.asOwner('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`${admin.id} POST /api/keys busy`]);
      try {
        const busy = await once({ name: 'busy' }, 'busy');
        expect([busy.status, busy.headers.get('retry-after'), (await busy.json()).code]).toEqual([
          409,
          '1',
          'idempotency_in_progress',
        ]);
      } finally {
        await db.asOwner('SELECT pg_advisory_unlock_all()');
      }
      expect((await once({ name: 'past', expires_at: '2020-01-01T00:00:00Z' }, 'past')).status).toBe(400);
      expect((await once({ name: 'now' }, 'past')).status).toBe(201);
    });

    test('of twenty at once one holds the secret, and one key is there', async () => {
      const before = (await count()) ?? 0;
      const answers = await Promise.all(Array.from({ length: 20 }, () => once({ name: 'many' }, 'many')));
      const told = await Promise.all(answers.map((answer) => answer.json()));
      expect(answers.every((answer) => answer.status === 201 || answer.status === 409)).toBe(true);
      expect(told.filter((one) => typeof one.key === 'string')).toHaveLength(1);
      expect(await count()).toBe(before + 1);
    });
  });

  test('of this machine’s command line replaces the one before it', async () => {
    const first = await createLocalKey(admin.id);
    expect(await ownerOfApiKey(first)).toBe(admin.id);
    const second = await createLocalKey(admin.id);
    expect(await ownerOfApiKey(first)).toBeNull();
    expect(await ownerOfApiKey(second)).toBe(admin.id);
  });
});
