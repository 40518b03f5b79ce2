import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { createLocalKey, ownerOfApiKey } from '#/services/people/api-keys.ts';
import { addCaller, json, makeApi, makeOwner, OWN_ORIGIN } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import type { Api } from './api-env.ts';
import { forgetCredentials } from './authenticate.ts';

const db = useDatabase();
let api: Api;
beforeAll(() => {
  api = makeApi();
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) => api.request(path, json(body, headers));
const me = (headers: Record<string, string>) => api.request('/api/me', { headers });

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
    const listed = await (await api.request('/api/keys', { headers: bearer(body.key) })).json();
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
    const { headers } = await addCaller(db);
    expect((await api.request(`/api/keys/${body.id}`, { method: 'DELETE', headers })).status).toBe(404);
    expect((await me(bearer(body.key))).status).toBe(200);
  });

  test('that only reads changes nothing and makes no key that may more', async () => {
    const { body } = await make({ name: 'reader', scopes: ['read'] });
    expect((await api.request('/api/jobs', { headers: bearer(body.key) })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/api/jobs'],
      ['POST', '/api/keys'],
      ['DELETE', `/api/keys/${body.id}`],
    ] as const) {
      const answer = await api.request(path, { method, headers: bearer(body.key) });
      expect([answer.status, (await answer.json()).code]).toEqual([403, 'insufficient_scope']);
    }
    const writer = await make({ name: 'writer', scopes: ['write'] });
    expect((await api.request('/api/jobs', { headers: bearer(writer.body.key) })).status).toBe(403);
    expect((await make({ name: 'more', scopes: ['read', 'write'] }, bearer(writer.body.key))).status).toBe(403);
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

  test('has no session to end or renew', async () => {
    const { headers } = await addCaller(db);
    expect((await post('/api/auth/sign-out', {}, headers)).status).toBe(403);
  });

  test('of this machine’s command line replaces the one before it', async () => {
    const first = await createLocalKey(admin.id);
    expect(await ownerOfApiKey(first)).toBe(admin.id);
    const second = await createLocalKey(admin.id);
    expect(await ownerOfApiKey(first)).toBeNull();
    expect(await ownerOfApiKey(second)).toBe(admin.id);
  });
});
