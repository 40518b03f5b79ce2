/** The real app over a test's database, and people who can use it. */
import { createHmac } from 'node:crypto';
import pino from 'pino';
import { beforeAll, expect } from 'vitest';
import { createApi } from '#/http/api.ts';
import type { Api, ApiOptions } from '#/http/api-env.ts';
import { openApiDocument } from '#/http/openapi.ts';
import { forgetAllowances } from '#/http/rate-limit.ts';
import { routeTable } from '#/http/route-table.ts';
import { createApiKey, type KeyScope } from '#/services/people/api-keys.ts';
import { issueSetupToken } from '#/services/people/first-run.ts';
import { openSession } from '#/services/people/open-session.ts';
import type { TestDatabase } from './database.ts';
import { addPerson } from './factories.ts';

/** What an installation at http://localhost decides. */
export const TEST_OPTIONS: ApiOptions = {
  log: pino({ level: 'silent' }),
  base_url: 'http://localhost',
  allowed_hosts: ['localhost'],
  allowed_origins: [],
  open_sign_up: false,
  access_tokens: null,
  body_timeout_ms: 5_000,
  auth_secret: 'a secret for tests',
};

/** The app. A test in which it answers a status or a code that its own document does not have fails. */
export const makeApi = (options: Partial<ApiOptions> = {}): Api => asDocumented(createApi({ ...TEST_OPTIONS, ...options }));

/** Registers a hook that makes the app when the file's database is connected; what is asked goes through it. */
export function useApi(options: Partial<ApiOptions> = {}) {
  let api: Api | undefined;
  beforeAll(() => {
    api = makeApi(options);
  });
  const request: Api['request'] = (...asked) => {
    if (api === undefined) throw new Error('the app is for inside a test');
    return api.request(...asked);
  };
  return {
    request,
    post: (path: string, body: unknown, headers: Record<string, string> = {}) => request(path, json(body, headers)),
    me: (headers: Record<string, string>) => request('/api/me', { headers }),
  };
}

/** The statuses that a document has for a method and path template. */
export function documentedStatuses(api: Api): (method: string, template: string) => number[] {
  const { paths } = openApiDocument(api, TEST_OPTIONS.base_url);
  return (method, template) => Object.keys(paths[template]?.[method.toLowerCase()]?.responses ?? {}).map(Number);
}

function asDocumented(api: Api): Api {
  const table = routeTable(api.openAPIRegistry.definitions);
  let document: ReturnType<typeof openApiDocument> | undefined;
  const answer = api.fetch;
  api.fetch = async (request, ...more) => {
    const answered = await answer(request, ...more);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = table.find(method, new URL(request.url).pathname);
    if (route === undefined) return answered;
    document ??= openApiDocument(api, TEST_OPTIONS.base_url);
    const told = document.paths[route.template]?.[method.toLowerCase()]?.responses[answered.status];
    if (told === undefined)
      throw new Error(`${method} ${route.template} answered ${answered.status}, which its document does not have`);
    const codes = Object.keys(told.content?.['application/json']?.examples ?? {});
    if (answered.status < 400 || codes.length === 0 || request.method === 'HEAD') return answered;
    const { code } = (await answered.clone().json()) as { code: string };
    if (!codes.includes(code))
      throw new Error(`${method} ${route.template} answered ${answered.status} ${code}: name that code among the route's faults`);
    return answered;
  };
  return api;
}

/** A person with an API key, ready for `api.request(path, { headers })`. */
export async function addCaller(
  db: TestDatabase,
  options: { role?: 'administrator' | 'user'; scopes?: KeyScope[] } = {},
): Promise<{ user_id: string; key: string; headers: { authorization: string } }> {
  const role = options.role ?? 'user';
  const user_id = await addPerson(db, { role });
  const asked = { name: 'Test key', scopes: options.scopes ?? (['read', 'write'] as KeyScope[]), expires_at: null };
  const { key } = await createApiKey({ user_id, role }, asked);
  return { user_id, key, headers: { authorization: `Bearer ${key}` } };
}

/** A person who has signed in with a browser: `headers` are what a page of ours sends with every change. */
export async function addBrowser(
  db: TestDatabase,
  options: { role?: 'administrator' | 'user' } = {},
): Promise<{ user_id: string; headers: { cookie: string; origin: string } }> {
  const user_id = await addPerson(db, { role: options.role ?? 'user' });
  const { token } = await openSession(user_id);
  const signature = createHmac('sha256', TEST_OPTIONS.auth_secret).update(token).digest('base64url');
  return { user_id, headers: { cookie: `lowrank.session=${token}.${signature}`, ...OWN_ORIGIN } };
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
export function noWaiting(db: TestDatabase) {
  forgetAllowances();
  return db.asOwner('DELETE FROM lowrank.rate_limits');
}

/** An installation whose owner has just been made through the API, in a browser that holds `cookie`. */
export async function makeOwner(db: TestDatabase, api: Pick<Api, 'request'>): Promise<{ id: string; cookie: string }> {
  await emptyHouse(db);
  const answer = await api.request('/api/first-run', json({ ...OWNER, setup_token: (await issueSetupToken()) ?? '' }));
  expect(answer.status).toBe(201);
  const { user } = (await answer.json()) as { user: { id: string } };
  return { id: user.id, cookie: cookieOf(answer) };
}
