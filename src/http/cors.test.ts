import { beforeAll, describe, expect, test } from 'vitest';
import { addBrowser, addCaller, json, makeApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const LISTED = 'https://tools.example.org';
let api: Api;
let caller: Awaited<ReturnType<typeof addCaller>>;
beforeAll(async () => {
  api = makeApi({ allowed_origins: [LISTED] });
  caller = await addCaller(db);
});

const preflight = (origin: string, path = '/api/jobs') =>
  api.request(path, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
  });
const shared = (answer: Response) =>
  [...answer.headers]
    .filter(([name]) => name.startsWith('access-control-'))
    .map(([name]) => name.slice('access-control-'.length));

describe('a page of a listed origin', () => {
  test('is let through by its preflight, which nobody signs in for', async () => {
    const answer = await preflight(LISTED);
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': LISTED,
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers':
        'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range, If-Range, If-None-Match',
      vary: 'Origin',
    });
  });

  test('may submit at door A, and do nothing else there', async () => {
    const answer = await preflight(LISTED, '/api/training/submit');
    expect([answer.status, answer.headers.get('access-control-allow-methods')]).toEqual([204, 'POST']);
    expect(answer.headers.get('access-control-allow-origin')).toBe(LISTED);
  });

  test('reads answers and refusals alike, with a key', async () => {
    const headers = { ...caller.headers, origin: LISTED };
    const refused = await api.request('/api/jobs', json({}, headers));
    const seen = await api.request('/api/me', { headers });
    const nobody = await api.request('/api/me', { headers: { origin: LISTED } });
    expect([refused.status, seen.status, nobody.status]).toEqual([400, 200, 401]);
    for (const answer of [refused, seen, nobody]) expect(answer.headers.get('access-control-allow-origin')).toBe(LISTED);
    const told = refused.headers.get('access-control-expose-headers')?.split(', ');
    expect(told).toEqual(expect.arrayContaining(['Retry-After', 'RateLimit-Remaining', 'Content-Range', 'ETag', 'Location']));
  });

  test('changes nothing with our cookie, and is never told to send it', async () => {
    const { headers } = await addBrowser(db);
    const answer = await api.request('/api/jobs', json({}, { ...headers, origin: LISTED }));
    expect([answer.status, (await answer.json()).code]).toEqual([403, 'origin_not_allowed']);
    expect((await preflight(LISTED)).headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('learns of no path that is not there', async () => {
    expect(shared(await preflight(LISTED, '/api/nothing'))).toEqual(['allow-origin', 'expose-headers']);
  });
});

describe('any other page', () => {
  test.each(['https://evil.example', 'https://tools.example.org.evil.example', 'http://tools.example.org', 'null', '*'])(
    'of %s is told nothing',
    async (origin) => {
      const answer = await preflight(origin);
      expect([answer.status, shared(answer), answer.headers.get('vary')]).toEqual([204, [], 'Origin']);
      const read = await api.request('/api/me', { headers: { ...caller.headers, origin } });
      expect(shared(read)).toEqual([]);
    },
  );
});
