import { describe, expect, test } from 'vitest';
import { createFirstOwner, issueSetupToken } from '#/services/people/first-run.ts';
import { createSignInLink } from '#/services/people/sign-in-link.ts';
import { cookieOf, emptyHouse, OWN_ORIGIN, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { forgetCredentials } from './authenticate.ts';
import { makeLog } from './log.ts';

const db = useDatabase();
/** Everything that the process logged in this file. */
let logged = '';
const api = useApi({ log: makeLog('trace', { write: (line) => (logged += line) }) });
const { post, me } = api;

describe('secrets', () => {
  test('never stand in an answer that did not make them, nor in any line of the log', async () => {
    await emptyHouse(db);
    const setup_token = (await issueSetupToken()) ?? '';
    const password = 'canary-password-4711';
    const { user } = await createFirstOwner({ setup_token, email: 'canary@example.org', password });
    const signed = await post('/api/auth/sign-in', { email: 'canary@example.org', password });
    const cookie = cookieOf(signed);
    const made = await (await post('/api/keys', { name: 'canary' }, { cookie, ...OWN_ORIGIN })).json();
    const link = await createSignInLink(user.id, '/');
    const [session] = await db.asOwner<{ token: string }>('SELECT token FROM identity.sessions WHERE user_id = $1', [user.id]);
    const [account] = await db.asOwner<{ password: string }>('SELECT password FROM identity.accounts WHERE user_id = $1', [
      user.id,
    ]);
    const secrets = [
      setup_token,
      password,
      made.key,
      link.split('#')[1],
      session?.token,
      account?.password,
      cookie.split('.').at(-1),
    ];
    // Faults write the most: break the tables under a request that carries each secret.
    for (const table of ['sessions', 'verifications', 'accounts', 'api_keys'])
      await db.asOwner(`ALTER TABLE identity.${table} RENAME TO ${table}_away`);
    forgetCredentials();
    try {
      const answers = [
        await me({ cookie }),
        await me({ authorization: `Bearer ${made.key}` }),
        await post('/api/auth/sign-in', { email: 'canary@example.org', password }),
        await post('/api/sign-in-link', { token: link.split('#')[1] }),
        await api.request(`/api/nothing?token=${made.key}`),
        await api.request(`/api/downloads/${setup_token}`),
        await api.request(`/api/keys/${made.key}`),
      ];
      expect(answers.map((answer) => answer.status)).toEqual([500, 500, 500, 500, 401, 404, 401]);
      for (const answer of answers) for (const secret of secrets) expect(await answer.clone().text()).not.toContain(secret);
    } finally {
      for (const table of ['sessions', 'verifications', 'accounts', 'api_keys'])
        await db.asOwner(`ALTER TABLE identity.${table}_away RENAME TO ${table}`);
    }
    expect(logged).toContain('unknown error');
    for (const secret of secrets) {
      expect(secret).toBeTruthy();
      expect(logged).not.toContain(secret);
    }
    expect(logged).not.toContain('canary@example.org');
  });

  test('are cut out of a text wherever they stand', () => {
    let line = '';
    const log = makeLog('info', { write: (text) => (line += text) });
    log.error({ err: new Error('postgres://web:hunter2@127.0.0.1/x and Bearer abc.def and lowrank_abcdefghijkl') }, 'x');
    expect(line).not.toMatch(/hunter2|abc\.def|abcdefghijkl/);
  });
});

test('a body that its sender broke off is one line of the log, without a stack', async () => {
  logged = '';
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      if (pulled === 1) controller.enqueue(Buffer.from('{"token":'));
      else controller.error(new Error('aborted'));
    },
  });
  const headers = { 'content-type': 'application/json' };
  const answer = await api.request('/api/sign-in-link', { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
  expect([answer.status, await answer.json()]).toEqual([408, expect.objectContaining({ code: 'request_timeout' })]);
  const lines = logged
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([expect.objectContaining({ level: 'info', path: '/api/sign-in-link', status: 408 })]);
  expect(logged).not.toContain('stack');
});
