import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { resetPassword } from '#/services/people/reset-password.ts';
import { addCaller, cookieOf, json, makeApi, makeOwner, noWaiting, OWN_ORIGIN, OWNER, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { stillValid } from './authenticate.ts';

const db = useDatabase();
const api = useApi();
const { post, me } = api;

describe('signing in', () => {
  let person: { id: string; cookie: string };
  beforeAll(async () => {
    person = await makeOwner(db, api);
  });
  beforeEach(() => noWaiting(db));

  test('gives a cookie that scripts cannot read, other sites do not send and only we can sign', async () => {
    const answer = await post('/api/auth/sign-in', OWNER);
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^lowrank\.session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    const [token] = cookieOf(answer).split('=')[1]?.split('.') ?? [];
    expect(await db.asOwner('SELECT user_id FROM identity.sessions WHERE token = $1', [token])).toEqual([{ user_id: person.id }]);
    expect((await me({ cookie: `lowrank.session=${token}` })).status).toBe(401);
    expect((await me({ cookie: `lowrank.session=${token}.AAAA` })).status).toBe(401);
  });

  test('behind https the cookie is Secure and bound to this host', async () => {
    const secure = makeApi({ base_url: 'https://localhost' });
    const answer = await secure.request('https://localhost/api/auth/sign-in', json(OWNER));
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^__Host-lowrank\.session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  test('gives a new session each time, whatever cookie was there before', async () => {
    const first = await post('/api/auth/sign-in', OWNER, { cookie: 'lowrank.session=preset', ...OWN_ORIGIN });
    const second = await post('/api/auth/sign-in', OWNER, { cookie: cookieOf(first), ...OWN_ORIGIN });
    expect(cookieOf(second)).not.toBe(cookieOf(first));
    expect(cookieOf(first)).not.toContain('preset');
  });

  test('answers an unknown e-mail exactly as a wrong password, after the same work', async () => {
    const ask = async (email: string) => {
      const began = performance.now();
      const answer = await post('/api/auth/sign-in', { email, password: 'wrong password' });
      const ms = performance.now() - began;
      const { request_id: _, ...body } = await answer.json();
      return { told: { status: answer.status, body }, ms };
    };
    const seen: Record<string, number> = {};
    for (let round = 0; round < 4; round++) {
      for (const email of [OWNER.email, 'nobody@example.org']) {
        const { told, ms } = await ask(email);
        expect(told).toMatchObject({
          status: 401,
          body: { code: 'invalid_credentials', message: 'E-mail or password is wrong', details: [] },
        });
        seen[email] = Math.min(seen[email] ?? Number.POSITIVE_INFINITY, ms);
      }
    }
    // Hashing a password takes far longer than all the rest: whoever skipped it would answer in a tenth of the time.
    const [known = 1, unknown = 0] = Object.values(seen);
    expect(unknown / known).toBeGreaterThan(0.4);
  });

  test('takes five tries a minute an account, and the count outlives the process', async () => {
    const tries = [];
    for (let i = 0; i < 6; i++)
      tries.push(await post('/api/auth/sign-in', { email: 'ada@example.org', password: 'wrong password' }));
    expect(tries.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401, 429]);
    const wait = Number(tries[5]?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    const restarted = makeApi();
    expect((await restarted.request('/api/auth/sign-in', json(OWNER))).status).toBe(429);
    expect((await post('/api/auth/sign-in', { email: 'else@example.org', password: OWNER.password })).status).toBe(401);
    await db.asOwner(`UPDATE lowrank.rate_limits SET window_started_at = now() - interval '61 seconds'`);
    expect((await post('/api/auth/sign-in', OWNER)).status).toBe(200);
  });

  describe('from one address', () => {
    const WRONG = 'wrong password';
    const from = (app: Pick<typeof api, 'request'>, remoteAddress: string, email: string, password: string) =>
      app.request('/api/auth/sign-in', json({ email, password }), { incoming: { socket: { remoteAddress } } });
    const twentyFailures = (app: Pick<typeof api, 'request'>, address: string) =>
      Promise.all(Array.from({ length: 20 }, (_, i) => from(app, address, `somebody${i}@example.org`, WRONG)));
    const statuses = (answers: Response[]) => new Set(answers.map((answer) => answer.status));

    test('fails twenty times a minute, whatever accounts it tries, and nobody elsewhere waits for it', async () => {
      expect(statuses(await twentyFailures(api, '203.0.113.7'))).toEqual(new Set([401]));
      const refused = await from(api, '203.0.113.7', OWNER.email, OWNER.password);
      expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
      expect((await from(api, '::ffff:203.0.113.7', OWNER.email, OWNER.password)).status).toBe(429);
      expect((await from(api, '203.0.113.8', OWNER.email, OWNER.password)).status).toBe(200);
    });

    test('that succeeds does not count', async () => {
      await db.asOwner(
        `INSERT INTO lowrank.rate_limits (bucket, window_started_at, used) VALUES ('sign-in-from:203.0.113.9', now(), 19)`,
      );
      for (let i = 0; i < 3; i++) expect((await from(api, '203.0.113.9', OWNER.email, OWNER.password)).status).toBe(200);
      expect((await from(api, '203.0.113.9', OWNER.email, WRONG)).status).toBe(401);
      expect((await from(api, '203.0.113.9', OWNER.email, OWNER.password)).status).toBe(429);
    });

    test('that is the proxy’s, all may fail a hundred times a minute', async () => {
      expect(statuses(await twentyFailures(api, '127.0.0.1'))).toEqual(new Set([401]));
      expect((await from(api, '127.0.0.1', OWNER.email, OWNER.password)).status).toBe(200);
      await db.asOwner(`UPDATE lowrank.rate_limits SET used = 100 WHERE bucket = 'sign-in-from'`);
      expect((await from(api, '::1', OWNER.email, OWNER.password)).status).toBe(429);
      const secure = makeApi({ base_url: 'https://localhost', allowed_hosts: ['localhost'] });
      expect((await from(secure, '192.0.2.1', OWNER.email, OWNER.password)).status).toBe(429);
    });
  });

  test('by a flood is answered to those who have a place, and the rest is sent away for five seconds', async () => {
    const flood = Array.from({ length: 60 }, (_, i) =>
      post('/api/auth/sign-in', { email: `f${i}@example.org`, password: 'wrong password' }),
    );
    const answers = await Promise.all(flood);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401, 429]));
    const away = answers.filter((answer) => answer.status === 429);
    expect(new Set(away.map((answer) => answer.headers.get('retry-after')))).toEqual(new Set(['5']));
    expect((await post('/api/auth/sign-in', OWNER)).status).toBe(200);
  });

  test('ends with sign-out, at once', async () => {
    const cookie = cookieOf(await post('/api/auth/sign-in', OWNER));
    expect((await me({ cookie })).status).toBe(200);
    const out = await api.request('/api/auth/sign-out', { method: 'POST', headers: { cookie, ...OWN_ORIGIN } });
    expect([out.status, await out.json()]).toEqual([200, { signed_out: true }]);
    expect(out.headers.getSetCookie()[0]).toMatch(/^lowrank\.session=; Max-Age=0/);
    expect((await me({ cookie })).status).toBe(401);
  });

  test('a changed password ends every other session and keeps this browser in', async () => {
    const here = cookieOf(await post('/api/auth/sign-in', OWNER));
    const there = cookieOf(await post('/api/auth/sign-in', OWNER));
    const change = (current_password: string) =>
      post(
        '/api/auth/change-password',
        { current_password, new_password: 'another long password' },
        { cookie: here, ...OWN_ORIGIN },
      );
    expect(await (await change('not it')).json()).toMatchObject({
      code: 'invalid_credentials',
      details: [{ path: 'current_password' }],
    });
    const changed = await change(OWNER.password);
    expect(changed.status).toBe(200);
    expect((await me({ cookie: cookieOf(changed) })).status).toBe(200);
    expect((await me({ cookie: here })).status).toBe(401);
    expect((await me({ cookie: there })).status).toBe(401);
    await resetPassword('ada@example.org', OWNER.password);
  });

  test('a password that was reset from the command line ends every session within 5 s', async () => {
    const answer = await post('/api/auth/sign-in', OWNER);
    const cookie = cookieOf(answer);
    expect((await me({ cookie })).status).toBe(200);
    const [session] = await db.asOwner<{ id: string }>('SELECT id FROM identity.sessions ORDER BY created_at DESC LIMIT 1');
    const credential = {
      kind: 'session' as const,
      id: session?.id ?? '',
      user_id: person.id,
      scopes: ['read' as const],
      expires_at: null,
    };
    expect(await stillValid(credential)).toBe(true);
    await resetPassword('Ada@example.org', 'set anew by the owner');
    await pause(4_100);
    expect((await me({ cookie })).status).toBe(401);
    expect(await stillValid(credential)).toBe(false);
    expect((await post('/api/auth/sign-in', { email: 'ada@example.org', password: 'set anew by the owner' })).status).toBe(200);
    await resetPassword('ada@example.org', OWNER.password);
  });

  test('a session that is over is over', async () => {
    const cookie = cookieOf(await post('/api/auth/sign-in', OWNER));
    await db.asOwner(`UPDATE identity.sessions SET expires_at = now() - interval '1 second'`);
    expect((await me({ cookie })).status).toBe(401);
  });
});

describe('a change with a cookie', () => {
  let admin: { id: string; cookie: string };
  beforeAll(async () => {
    admin = await makeOwner(db, api);
  });
  const change = (headers: Record<string, string>) => post('/api/keys', { name: 'csrf' }, headers);

  test.each<[string, Record<string, string>, number]>([
    ['from our own page', { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' }, 201],
    ['from our own page by an old browser', { origin: 'http://localhost' }, 201],
    ['from our own page without Origin', { 'sec-fetch-site': 'same-origin' }, 201],
    ['from another site', { origin: 'https://evil.example' }, 403],
    ['from another site that lies about the fetch', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, 403],
    ['from another port of this machine', { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-site' }, 403],
    ['from a sandboxed page', { origin: 'null' }, 403],
    ['from another site’s form', { 'sec-fetch-site': 'cross-site' }, 403],
    ['with our Origin but fetched across sites', { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' }, 403],
    ['without saying from where', {}, 403],
  ])('%s', async (_, headers, status) => {
    const answer = await change({ cookie: admin.cookie, ...headers });
    expect(answer.status).toBe(status);
    if (status === 403) expect(await answer.json()).toMatchObject({ code: 'origin_not_allowed' });
  });

  test('a key needs no origin; another site cannot sign anybody in', async () => {
    const { headers } = await addCaller(db);
    const cancel = `/api/jobs/${admin.id}/cancel`;
    expect((await post(cancel, {}, { ...headers, origin: 'https://evil.example' })).status).toBe(404);
    const login = await post('/api/auth/sign-in', { email: 'a@b.example', password: 'x' }, { origin: 'https://evil.example' });
    expect(login.status).toBe(403);
  });

  test('behind https plain http is another origin', async () => {
    const secure = makeApi({ base_url: 'https://studio.example', allowed_hosts: ['studio.example', 'localhost'] });
    const from = (origin: string) =>
      secure.request(
        'https://studio.example/api/auth/sign-in',
        json({ email: 'a@b.example', password: 'x' }, { origin, host: 'studio.example' }),
      );
    expect((await from('http://studio.example')).status).toBe(403);
    expect((await from('https://studio.example')).status).toBe(401);
  });
});
