import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureLocalOwner, issueSetupToken } from '#/services/people/first-run.ts';
import { createSignInLink } from '#/services/people/sign-in-link.ts';
import {
  addBrowser,
  cookieOf,
  emptyHouse,
  json,
  makeApi,
  makeOwner,
  noWaiting,
  OWN_ORIGIN,
  OWNER,
  useApi,
} from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
const { post, me } = api;
const owner = (setup_token: string, more: object = {}) => ({ ...OWNER, setup_token, ...more });

describe('the first run', () => {
  beforeEach(() => emptyHouse(db));

  test('makes an administrator with the set-up token, signed in, and is over', async () => {
    const token = (await issueSetupToken()) ?? '';
    expect(await (await api.request('/api/first-run')).json()).toEqual({ needed: true });
    const answer = await post('/api/first-run', owner(token, { name: 'Ada' }));
    expect([answer.status, await answer.json()]).toEqual([
      201,
      { user: expect.objectContaining({ name: 'Ada', email: 'ada@example.org', role: 'administrator' }) },
    ]);
    expect(await (await me({ cookie: cookieOf(answer) })).json()).toMatchObject({ credential: { kind: 'session' } });
    expect(await (await api.request('/api/first-run')).json()).toEqual({ needed: false });
    expect(await issueSetupToken()).toBeNull();
  });

  test('of two at once one wins and the other hears already_initialised', async () => {
    const token = (await issueSetupToken()) ?? '';
    const answers = await Promise.all(
      ['a@example.org', 'b@example.org', 'c@example.org'].map((email) => post('/api/first-run', owner(token, { email }))),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
    const lost = answers.find((answer) => answer.status === 409);
    expect(await lost?.json()).toMatchObject({ code: 'already_initialised' });
    expect(await db.asOwner('SELECT role FROM identity.users')).toEqual([{ role: 'administrator' }]);
  });

  test('is refused with another token, with an older one and without any issued', async () => {
    expect((await post('/api/first-run', owner('guess'))).status).toBe(403);
    const old = (await issueSetupToken()) ?? '';
    await issueSetupToken();
    expect(await (await post('/api/first-run', owner(old))).json()).toMatchObject({
      code: 'forbidden',
      details: [{ path: 'setup_token' }],
    });
    expect(await db.asOwner('SELECT 1 FROM identity.users')).toEqual([]);
  });

  test('takes ten guesses a minute', async () => {
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push((await post('/api/first-run', owner('guess'))).status);
    expect(answers).toEqual([...Array(10).fill(403), 429]);
  });

  test.each([
    ['password123', 'too_common'],
    ['aaaaaaaaaaaa', 'too_common'],
    ['ada@example.org', 'too_common'],
    ['short', 'too_small'],
    ['a'.repeat(129), 'too_big'],
  ])('refuses the password %s as %s', async (password, code) => {
    const answer = await post('/api/first-run', owner((await issueSetupToken()) ?? '', { password }));
    expect(await answer.json()).toMatchObject({ details: [{ path: 'password', code }] });
  });

  test.each(['correct horse battery staple with sixty-four characters and even more', '  two  spaces  ', 'пароль🔑пароль'])(
    'accepts the password %j, and it signs in',
    async (password) => {
      expect((await post('/api/first-run', owner((await issueSetupToken()) ?? '', { password }))).status).toBe(201);
      expect((await post('/api/auth/sign-in', { email: 'ada@example.org', password })).status).toBe(200);
    },
  );

  test('the local owner is made once and then found', async () => {
    const made = await ensureLocalOwner({ email: 'owner@localhost.test', name: 'Owner' });
    expect(made).toMatchObject({ created: true, user: { role: 'administrator' } });
    expect(await ensureLocalOwner({ email: 'other@localhost.test', name: 'Other' })).toMatchObject({
      created: false,
      user: made.user,
    });
  });
});

describe('a one-time link', () => {
  let person: { id: string; cookie: string };
  beforeAll(async () => {
    person = await makeOwner(db, api);
  });
  const tokenOf = (link: string) => link.split('#')[1] ?? '';

  test('signs in once and says where it leads; its token is stored as a hash', async () => {
    const link = await createSignInLink(person.id, '/jobs/1');
    expect(link).toMatch(/^\/sign-in\/link#[\w-]{43}$/);
    expect(JSON.stringify(await db.asOwner('SELECT * FROM identity.verifications'))).not.toContain(tokenOf(link));
    const answers = await Promise.all([1, 2, 3].map(() => post('/api/sign-in-link', { token: tokenOf(link) })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403, 403]);
    const won = answers.find((answer) => answer.status === 200);
    expect(await won?.json()).toMatchObject({ path: '/jobs/1', user: { id: person.id } });
    expect((await me({ cookie: cookieOf(won as Response) })).status).toBe(200);
  });

  test('is too old after ten minutes, and is never used up by GET', async () => {
    const link = await createSignInLink(person.id, '/');
    const get = await api.request(`/api/sign-in-link?token=${tokenOf(link)}`, { headers: { cookie: person.cookie } });
    expect(get.status).toBe(405);
    await db.asOwner(`UPDATE identity.verifications SET expires_at = expires_at - interval '10 minutes'`);
    expect((await post('/api/sign-in-link', { token: tokenOf(link) })).status).toBe(403);
  });

  const elsewhere = [
    '//evil.example',
    '/..//evil.example',
    '/%2e//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'jobs',
  ];
  test.each(elsewhere)('does not lead to %s', async (path) => {
    await expect(createSignInLink(person.id, path)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('joining', () => {
  let admin: { id: string; cookie: string };
  beforeAll(async () => {
    admin = await makeOwner(db, api);
  });
  beforeEach(() => noWaiting(db));
  const invite = async (email: string) => {
    const answer = await post('/api/invitations', { email }, { cookie: admin.cookie, ...OWN_ORIGIN });
    const body = await answer.json();
    return { status: answer.status, body, invitation: /#([\w-]+)/.exec(body.url ?? '')?.[1] };
  };

  test('needs an invitation, unless the installation is open', async () => {
    const body = { email: 'free@example.org', password: OWNER.password };
    expect(await (await post('/api/sign-up', body)).json()).toMatchObject({ code: 'invitation_required' });
    const joined = await makeApi({ open_sign_up: true }).request('/api/sign-up', json(body));
    expect([joined.status, (await joined.json()).user.role]).toEqual([201, 'user']);
  });

  test('by invitation works once, for its e-mail alone', async () => {
    const { status, body, invitation } = await invite('Bob@example.org');
    expect([status, body.url]).toEqual([201, `http://localhost/sign-up#${invitation}&email=bob%40example.org`]);
    const join = (email: string) => post('/api/sign-up', { invitation, email, password: OWNER.password });
    expect((await join('eve@example.org')).status).toBe(403);
    const joined = await join('bob@example.org');
    expect((await me({ cookie: cookieOf(joined) })).status).toBe(200);
    expect((await join('bob@example.org')).status).toBe(403);
    expect((await invite('bob@example.org')).status).toBe(409);
  });

  test('by an invitation that is too old or replaced is refused', async () => {
    const first = await invite('carol@example.org');
    const second = await invite('carol@example.org');
    const join = (invitation?: string) =>
      post('/api/sign-up', { invitation, email: 'carol@example.org', password: OWNER.password });
    expect((await join(first.invitation)).status).toBe(403);
    await db.asOwner(`UPDATE identity.invitations SET expires_at = now() - interval '1 second'`);
    expect((await join(second.invitation)).status).toBe(403);
  });

  test('by an invitation that was asked for twice with one Idempotency-Key is by one link, which is shown once', async () => {
    const ask = (email: string, key = 'invite') =>
      post('/api/invitations', { email }, { cookie: admin.cookie, ...OWN_ORIGIN, 'idempotency-key': key });
    const first = await (await ask('dora@example.org')).json();
    const again = await ask('dora@example.org');
    expect([again.status, again.headers.get('idempotent-replayed'), await again.json()]).toEqual([
      201,
      'true',
      { ...first, url: null },
    ]);
    const kept = JSON.stringify(await db.asOwner(`SELECT convert_from(answer, 'UTF8') AS answer FROM lowrank.idempotency_keys`));
    expect(kept).toContain(first.id);
    const invitation = /#([\w-]+)/.exec(first.url)?.[1];
    expect(kept).not.toContain(invitation);
    expect((await ask('emil@example.org')).status).toBe(409);
    const join = { invitation, email: 'dora@example.org', password: OWNER.password };
    expect((await post('/api/sign-up', join)).status).toBe(201);
    expect((await ask('dora@example.org')).status).toBe(201);
    await ask('fred@example.org', 'old');
    await invite('fred@example.org');
    // It was replaced since: what was answered stands, and where that was lost there is nothing to tell.
    const replaced = await ask('fred@example.org', 'old');
    expect([replaced.status, (await replaced.json()).url]).toEqual([201, null]);
    await db.asOwner(`UPDATE lowrank.idempotency_keys SET answer = NULL WHERE key = 'old'`);
    expect((await ask('fred@example.org', 'old')).status).toBe(404);
  });

  test('only administrators invite', async () => {
    const { headers } = await addBrowser(db);
    const answer = await post('/api/invitations', { email: 'x@example.org' }, headers);
    expect([answer.status, (await answer.json()).code]).toEqual([403, 'forbidden']);
  });

  test.each([{ role: 'administrator' }, { user_id: '00000000-0000-4000-8000-000000000000' }])(
    'asks for no more than it declares: %j',
    async (more) => {
      const answer = await post('/api/sign-up', { email: 'x@example.org', password: OWNER.password, ...more });
      expect(await answer.json()).toMatchObject({ details: [{ code: 'unknown_field' }] });
    },
  );
});
