import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { makeApiKey } from '#/services/people/api-key-format.ts';
import { json, makeApi } from '../../test/api.ts';
import { PUBLIC_ROUTES } from './public-routes.ts';
import { routeTable } from './route-table.ts';

const NOBODY = 'postgres://nobody:secret@127.0.0.1:1/nothing';
beforeAll(() => connectDatabase({ web: NOBODY, identity: NOBODY }));
afterAll(() => disconnectDatabase());

test('without its database every request that needs it gets 503 and when to come again, soon and without a secret', async () => {
  const api = makeApi();
  const authorization = `Bearer ${makeApiKey()}`;
  const began = performance.now();
  const answers = await Promise.all([
    api.request('/api/ready'),
    api.request('/api/first-run'),
    api.request('/api/jobs', { headers: { authorization } }),
    api.request('/api/auth/sign-in', json({ email: 'ada@example.org', password: 'correct horse' })),
  ]);
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const answer of answers) {
    const text = await answer.text();
    expect([answer.status, answer.headers.get('retry-after'), JSON.parse(text).code]).toEqual([503, '5', 'database_unavailable']);
    expect(text).not.toMatch(/127\.0\.0\.1|nobody|secret|ECONNREFUSED/);
  }
});

test('without its database every route that is not public says so', async () => {
  const api = makeApi();
  const headers = { authorization: `Bearer ${makeApiKey()}` };
  for (const { method, template } of routeTable(api.openAPIRegistry.definitions).all) {
    if (PUBLIC_ROUTES.has(`${method} ${template}`)) continue;
    const answer = await api.request(template.replaceAll(/\{[^}]+\}/g, '00000000-0000-4000-8000-000000000000'), {
      method,
      headers,
    });
    expect([method, template, answer.status]).toEqual([method, template, 503]);
  }
});

test('without its database the process still says that it lives', async () => {
  expect((await makeApi().request('/api/health')).status).toBe(200);
});
