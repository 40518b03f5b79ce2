/** The real app over a test's database, and people who can use it. */
import pino from 'pino';
import { expect } from 'vitest';
import { createApi } from '#/http/api.ts';
import type { Api, ApiOptions } from '#/http/api-env.ts';
import { createApiKey, type KeyScope } from '#/services/people/api-keys.ts';
import { issueSetupToken } from '#/services/people/first-run.ts';
import type { TestDatabase } from './database.ts';
import { addPerson } from './factories.ts';

/** What an installation at http://localhost decides. */
export const TEST_OPTIONS: ApiOptions = {
  log: pino({ level: 'silent' }),
  base_url: 'http://localhost',
  allowed_hosts: ['localhost'],
  open_sign_up: false,
  body_timeout_ms: 5_000,
  auth_secret: 'a secret for tests',
};

export const makeApi = (options: Partial<ApiOptions> = {}): Api => createApi({ ...TEST_OPTIONS, ...options });

/** A person with an API key, ready for `api.request(path, { headers })`. */
export async function addCaller(
  db: TestDatabase,
  options: { role?: 'administrator' | 'user'; scopes?: KeyScope[] } = {},
): Promise<{ user_id: string; key: string; headers: { authorization: string } }> {
  const role = options.role ?? 'user';
  const user_id = await addPerson(db, { role });
  const asked = { name: 'Test key', scopes: options.scopes ?? (['read', 'write'] as KeyScope[]), expires_at: null };
  const { key } = await createApiKey({ user_id, role }, ['read', 'write'], asked);
  return { user_id, key, headers: { authorization: `Bearer ${key}` } };
}

/** A JSON request's `init`. */
export const json = (body: unknown, headers: Record<string, string> = {}, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** The Cookie header that a browser would send after this answer. */
export function cookieOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');
}

/** What a page of ours sends with every change. */
export const OWN_ORIGIN = { origin: TEST_OPTIONS.base_url };

export const OWNER = { email: 'Ada@Example.org', password: 'correct horse battery' };

/** Removes everybody and everything. */
export const emptyHouse = (db: TestDatabase) => db.asOwner('TRUNCATE identity.users, lowrank.rate_limits CASCADE');

/** Lets nobody wait for a new minute. */
export const noWaiting = (db: TestDatabase) => db.asOwner('DELETE FROM lowrank.rate_limits');

/** An installation whose owner has just been made through the API, in a browser that holds `cookie`. */
export async function makeOwner(db: TestDatabase, api: Api): Promise<{ id: string; cookie: string }> {
  await emptyHouse(db);
  const answer = await api.request('/api/first-run', json({ ...OWNER, setup_token: (await issueSetupToken()) ?? '' }));
  expect(answer.status).toBe(201);
  const { user } = (await answer.json()) as { user: { id: string } };
  return { id: user.id, cookie: cookieOf(answer) };
}
