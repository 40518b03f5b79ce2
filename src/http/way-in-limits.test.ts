// Ways in, and whatever judges a password: how often they are tried is counted, told in every answer, and has an end.
import { beforeAll, expect, test } from 'vitest';
import { json, makeOwner, noWaiting, OWN_ORIGIN, OWNER, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
let cookie: string;
beforeAll(async () => {
  ({ cookie } = await makeOwner(db, api));
});

const EMAIL = 'eve@example.org';
const WRONG = 'wrong password';
test.each([
  { method: 'POST', path: '/api/auth/sign-in', body: { email: EMAIL, password: WRONG }, max: 5, refused: 401 },
  {
    method: 'POST',
    path: '/api/sign-up',
    body: { invitation: 'x', email: EMAIL, password: OWNER.password },
    max: 5,
    refused: 403,
  },
  { method: 'POST', path: '/api/first-run', body: { ...OWNER, setup_token: 'x' }, max: 10, refused: 409 },
  {
    method: 'POST',
    path: '/api/auth/change-password',
    body: { current_password: WRONG, new_password: OWNER.password },
    max: 5,
    refused: 401,
  },
  { method: 'DELETE', path: '/api/me', body: { password: WRONG }, max: 5, refused: 401 },
])('$method $path says how many tries are left, and when there are more', async ({ method, path, body, max, refused }) => {
  await noWaiting(db);
  const seen: [status: number, limit: string | null, left: string | null][] = [];
  let last = new Response();
  for (let tries = 0; tries <= max; tries++) {
    last = await api.request(path, json(body, { cookie, ...OWN_ORIGIN }, method));
    seen.push([last.status, last.headers.get('ratelimit-limit'), last.headers.get('ratelimit-remaining')]);
  }
  const counted = Array.from({ length: max }, (_, at) => [refused, String(max), String(max - 1 - at)]);
  expect(seen).toEqual([...counted, [429, String(max), '0']]);
  const reset_s = Number(last.headers.get('ratelimit-reset'));
  expect([last.headers.get('retry-after'), reset_s > 0 && reset_s <= 60]).toEqual([String(reset_s), true]);
});
