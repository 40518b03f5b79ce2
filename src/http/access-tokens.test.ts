// A Supabase project's access tokens as Bearer: whom they let in, and every way in which they must not.
import { randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { accessTokens } from '#/services/people/access-tokens.ts';
import { isFirstRun, issueSetupToken } from '#/services/people/first-run.ts';
import { openSession } from '#/services/people/open-session.ts';
import { removeDepartures } from '#/services/people/remove-departures.ts';
import { api, ask, claimsOf, db, HS256, ISSUER, now, SECRET, secretOf, signed } from '../../test/access-token-scene.ts';
import { addBrowser, addCaller, json, makeApi, OWNER } from '../../test/api.ts';
import { addDataset, addPerson } from '../../test/factories.ts';
import { forgetCredentials, stillValid } from './authenticate.ts';
import { PUBLIC_ROUTES } from './public-routes.ts';
import { routeTable } from './route-table.ts';

const without = (claims: JWTPayload, name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('an access token', () => {
  test('stands for its subject, who gets a row, a queue and slots at first sight, once for many requests at a time', async () => {
    const id = randomUUID();
    const token = await signed(claimsOf(id));
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers[0]?.body).toMatchObject({
      user: { id, name: 'ada@example.org', role: 'user' },
      credential: { kind: 'access_token' },
    });
    const [row] = await db.asOwner(
      `SELECT (SELECT count(*)::int FROM lowrank.user_queues WHERE user_id = $1) AS queues,
              (SELECT count(*)::int FROM lowrank.job_slots WHERE user_id = $1) AS slots`,
      [id],
    );
    expect(row).toEqual({ queues: 1, slots: 2 });
  });

  test('of a person who came by one is theirs', async () => {
    const id = await addPerson(db, { is_subject: true });
    expect((await ask(await signed(claimsOf(id)))).body).toMatchObject({ user: { id, name: 'Test Person' } });
  });

  test.each(['administrator', 'user'] as const)('that names an account of the studio itself opens nothing: %s', async (role) => {
    const local = await addBrowser(db, { role });
    const { status, body } = await ask(await signed(claimsOf(local.user_id)));
    expect([status, body.code, body.error]).toEqual([401, 'unauthenticated', expect.stringMatching(/signs in there/)]);
    expect((await api.request('/api/me', { headers: local.headers })).status).toBe(200);
  });

  test('takes nobody’s e-mail: two subjects may name the same, and it still can be invited', async () => {
    const first = await ask(await signed(claimsOf(randomUUID(), { email: 'twice@example.org' })));
    const second = await ask(await signed(claimsOf(randomUUID(), { email: 'twice@example.org' })));
    expect([first.status, second.status]).toEqual([200, 200]);
    const admin = await addBrowser(db, { role: 'administrator' });
    expect((await api.request('/api/invitations', json({ email: 'twice@example.org' }, admin.headers))).status).toBe(201);
  });

  test('sees and makes its own rows and no stranger’s, and changes them without the origin that a cookie needs', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const [of_a, of_b] = [await signed(claimsOf(a)), await signed(claimsOf(b))];
    await ask(of_a);
    const dataset = await addDataset(db, a);
    const change = (token: string) =>
      api.request(
        `/api/datasets/${dataset}`,
        json({ name: 'Mine' }, { authorization: `Bearer ${token}`, origin: 'https://app.example' }, 'PATCH'),
      );
    expect([(await ask(of_a, `/api/datasets/${dataset}`)).status, (await change(of_a)).status]).toEqual([200, 200]);
    expect([(await ask(of_b, `/api/datasets/${dataset}`)).status, (await change(of_b)).status]).toEqual([404, 404]);
    expect((await ask(of_b, '/api/datasets')).body).toMatchObject({ datasets: [], total: 0 });
    expect((await ask(of_a, '/api/datasets')).body).toMatchObject({ total: 1 });
  });

  test('lets in wherever a key does, and a bad one is refused everywhere', async () => {
    const app = makeApi({ access_tokens: accessTokens(HS256) });
    const good = await signed(claimsOf(randomUUID()));
    const bad = await signed(claimsOf(randomUUID()), 'another secret of about forty characters');
    const routes = routeTable(app.openAPIRegistry.definitions).all.filter(
      (route) => !PUBLIC_ROUTES.has(`${route.method} ${route.template}`),
    );
    expect(routes.length).toBeGreaterThan(50);
    for (const { method, template } of routes) {
      const path = template.replaceAll(/\{[a-z_]+\}/g, randomUUID());
      const [refused, taken] = await Promise.all(
        [bad, good].map((token) => app.request(path, { method, headers: { authorization: `Bearer ${token}` } })),
      );
      expect([method, template, refused?.status]).toEqual([method, template, 401]);
      expect([method, template, taken?.status]).not.toEqual([method, template, 401]);
    }
  });

  test('does nothing that takes a session, and goes on beside keys and cookies', async () => {
    const id = await addPerson(db, { is_subject: true });
    const token = await signed(claimsOf(id));
    const key = await api.request('/api/keys', json({ name: 'k', scopes: ['read'] }, { authorization: `Bearer ${token}` }));
    expect([key.status, (await key.json()).code]).toEqual([403, 'session_required']);
    const caller = await addCaller(db);
    expect((await api.request('/api/me', { headers: caller.headers })).status).toBe(200);
    const browser = await addBrowser(db);
    expect((await api.request('/api/me', { headers: browser.headers })).status).toBe(200);
    const both = await api.request('/api/me', { headers: { cookie: browser.headers.cookie, authorization: `Bearer ${token}` } });
    expect([both.status, (await both.json()).code]).toEqual([400, 'ambiguous_credentials']);
    // The cookie's own rule stands.
    const foreign = json({ name: 'p' }, { cookie: browser.headers.cookie, origin: 'https://evil.example' });
    expect((await api.request('/api/projects', foreign)).status).toBe(403);
  });

  test('takes its person out of the studio in words, which no API key does; the next one makes an empty account', async () => {
    const id = randomUUID();
    const token = await signed(claimsOf(id));
    await ask(token);
    await addDataset(db, id);
    const leave = (body: object, authorization = `Bearer ${token}`) =>
      api.request('/api/me', json(body, { authorization }, 'DELETE'));
    const caller = await addCaller(db);
    const by_key = await leave({ confirm: 'delete my account' }, caller.headers.authorization);
    expect([by_key.status, (await by_key.json()).code]).toEqual([403, 'session_required']);
    expect((await leave({ password: 'correct horse battery' })).status).toBe(400);
    expect((await ask(token, '/api/datasets')).body).toMatchObject({ total: 1 });
    expect((await leave({ confirm: 'delete my account' })).status).toBe(204);
    expect((await ask(token)).status).toBe(401);
    expect((await removeDepartures()).map(({ user_id }) => user_id)).toEqual([id]);
    expect((await ask(token, '/api/datasets')).body).toMatchObject({ total: 0 });
  });

  test('that comes before the owner leaves the owner’s place free', async () => {
    await db.asOwner('TRUNCATE identity.users, lowrank.rate_limits CASCADE');
    expect((await ask(await signed(claimsOf(randomUUID())))).status).toBe(200);
    expect(await isFirstRun()).toBe(true);
    const owner = await api.request('/api/first-run', json({ ...OWNER, setup_token: (await issueSetupToken()) ?? '' }));
    expect([owner.status, (await owner.json()).user?.role, await isFirstRun()]).toEqual([201, 'administrator', false]);
  });

  test('means nothing where no project is configured', async () => {
    const token = await signed(claimsOf(randomUUID()));
    expect(await ask(token, '/api/me', makeApi())).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });
});

describe('refused with 401', () => {
  const id = randomUUID();
  const cases: [string, () => Promise<string> | string][] = [
    ['another secret', () => signed(claimsOf(id), 'another secret of about forty characters')],
    ['alg none', () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claimsOf(id))}.`],
    [
      'alg none with a signature',
      async () => `${part({ alg: 'none' })}.${part(claimsOf(id))}.${(await signed(claimsOf(id))).split('.')[2]}`,
    ],
    [
      'a stronger algorithm than the configured',
      () => new SignJWT(claimsOf(id)).setProtectedHeader({ alg: 'HS512' }).sign(secretOf(SECRET)),
    ],
    ['another issuer', () => signed(claimsOf(id, { iss: 'https://other.supabase.test/auth/v1' }))],
    ['an issuer that only begins alike', () => signed(claimsOf(id, { iss: `${ISSUER}/` }))],
    ['no issuer', () => signed(without(claimsOf(id), 'iss') as JWTPayload)],
    ['another audience', () => signed(claimsOf(id, { aud: 'somebody-else' }))],
    ['no audience', () => signed(without(claimsOf(id), 'aud') as JWTPayload)],
    ['expired', () => signed(claimsOf(id, { exp: now() - 30 }))],
    ['without an end', () => signed(without(claimsOf(id), 'exp') as JWTPayload)],
    ['not valid yet', () => signed(claimsOf(id, { nbf: now() + 300 }))],
    [
      'tampered claims',
      async () => {
        const [head, , signature] = (await signed(claimsOf(id))).split('.');
        return `${head}.${part(claimsOf(randomUUID()))}.${signature}`;
      },
    ],
    ['tampered signature', async () => `${(await signed(claimsOf(id))).slice(0, -4)}AAAA`],
    ['no subject', () => signed(claimsOf(undefined))],
    ['an empty subject', () => signed(claimsOf(''))],
    ['a subject that is no UUID', () => signed(claimsOf("' or true --"))],
    ['a subject in a list', () => signed({ ...claimsOf(undefined), sub: [id] } as unknown as JWTPayload)],
    ['a subject in upper case', () => signed(claimsOf(id.toUpperCase()))],
    ['the anon key', () => signed({ iss: ISSUER, aud: 'authenticated', role: 'anon', iat: now(), exp: now() + 3600 })],
    ['the anon role with a subject', () => signed(claimsOf(id, { role: 'anon' }))],
    ['the service key', () => signed(claimsOf(id, { role: 'service_role' }))],
    ['no role', () => signed(without(claimsOf(id), 'role') as JWTPayload)],
    ['an anonymous sign-in', () => signed(claimsOf(id, { is_anonymous: true }))],
    [
      'a key of its own in its header',
      () =>
        new SignJWT(claimsOf(id))
          .setProtectedHeader({ alg: 'HS256', jku: 'https://evil.example/jwks', kid: '../../etc/passwd' })
          .sign(secretOf('evil evil evil evil evil evil evil evil')),
    ],
  ];
  test.each(cases)('%s', async (_, make) => {
    const { status, body } = await ask(await make());
    expect([status, body.code]).toEqual([401, 'unauthenticated']);
    expect(await db.asOwner('SELECT FROM identity.users WHERE id = $1', [id])).toEqual([]);
  });

  test('the same token with nothing wrong is taken, also a few seconds after its end or before its beginning', async () => {
    for (const more of [{}, { exp: now() - 2 }, { nbf: now() + 2 }]) {
      forgetCredentials();
      expect((await ask(await signed(claimsOf(randomUUID(), more)))).status).toBe(200);
    }
  });

  test('an expired one says so, and no answer tells what was in the token', async () => {
    expect((await ask(await signed(claimsOf(id, { exp: now() - 30 })))).body.error).toMatch(/expired: refresh it/);
    const wrong = JSON.stringify((await ask(await signed(claimsOf(id, { aud: 'secret-audience' })))).body);
    expect(wrong).toMatch(/claim aud/);
    expect(wrong).not.toMatch(/secret-audience/);
  });

  test('a person whom an administrator locked out, within seconds and with every credential; and let in again', async () => {
    const app = makeApi({ access_tokens: accessTokens(HS256) });
    const admin = await addBrowser(db, { role: 'administrator' });
    const person = await addBrowser(db);
    const key = await addCaller(db);
    await db.asOwner('UPDATE identity.users SET is_subject = true WHERE id = $1', [person.user_id]);
    const token = await signed(claimsOf(person.user_id));
    const lock = (user_id: string, disabled: unknown, headers: Record<string, string> = admin.headers) =>
      app.request(`/api/users/${user_id}`, json({ disabled }, headers, 'PATCH'));
    const credential = {
      kind: 'access_token' as const,
      id: 't',
      user_id: person.user_id,
      scopes: ['read' as const],
      expires_at: new Date(Date.now() + 9e5),
    };
    expect([(await ask(token, '/api/me', app)).status, await stillValid(credential)]).toEqual([200, true]);
    expect((await lock(person.user_id, true, person.headers)).status).toBe(403);
    expect((await lock(admin.user_id, true)).status).toBe(409);
    expect((await lock(randomUUID(), true)).status).toBe(404);
    expect((await lock(person.user_id, 'yes')).status).toBe(400);
    const locked = await lock(person.user_id, true);
    expect([locked.status, (await locked.json()).disabled_at]).toEqual([200, expect.stringMatching(/Z$/)]);
    await lock(key.user_id, true);
    expect((await ask(token, '/api/me', app)).body).toMatchObject({
      code: 'unauthenticated',
      error: expect.stringMatching(/locked out/),
    });
    expect(await stillValid(credential)).toBe(false);
    expect((await app.request('/api/me', { headers: person.headers })).status).toBe(401);
    expect((await app.request('/api/me', { headers: key.headers })).status).toBe(401);
    await expect(openSession(person.user_id)).rejects.toMatchObject({ code: 'forbidden' });
    await lock(key.user_id, false);
    expect((await (await lock(person.user_id, false)).json()).disabled_at).toBeNull();
    expect((await ask(token, '/api/me', app)).status).toBe(200);
    expect((await app.request('/api/me', { headers: key.headers })).status).toBe(200);
    // Their old sessions stay ended.
    expect((await app.request('/api/me', { headers: person.headers })).status).toBe(401);
  });

  test('a stream’s token when it is over', async () => {
    const user_id = await addPerson(db);
    const at = (ms: number) => ({
      kind: 'access_token' as const,
      id: randomUUID(),
      user_id,
      scopes: ['read' as const],
      expires_at: new Date(Date.now() + ms),
    });
    expect([await stillValid(at(60_000)), await stillValid(at(-1))]).toEqual([true, false]);
  });
});
