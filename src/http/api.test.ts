import { beforeAll, describe, expect, test } from 'vitest';
import { addBrowser, addCaller, json, makeApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import type { Api } from './api-env.ts';
import { PUBLIC_ROUTES } from './public-routes.ts';
import { routeTable } from './route-table.ts';

const db = useDatabase();
const NO_ID = '00000000-0000-4000-8000-000000000000';

let api: Api;
let caller: Awaited<ReturnType<typeof addCaller>>;
let browser: Awaited<ReturnType<typeof addBrowser>>;
beforeAll(async () => {
  api = makeApi();
  caller = await addCaller(db);
  browser = await addBrowser(db);
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.request(path, json(body, { ...browser.headers, ...headers }));

describe('without a session or key', () => {
  test('every route is refused with 401 but the documented few', async () => {
    const { all } = routeTable(api.openAPIRegistry.definitions);
    expect(all.length).toBeGreaterThan(20);
    const answered = new Set<string>();
    for (const route of all) {
      const answer = await api.request(route.template.replaceAll(/\{[^}]+\}/g, NO_ID), { method: route.method });
      if (answer.status !== 401) answered.add(`${route.method} ${route.template}`);
      else expect(await answer.json()).toMatchObject({ code: 'unauthenticated' });
    }
    expect(answered).toEqual(PUBLIC_ROUTES);
  });

  test('what is not declared is refused as well, and says how to get in', async () => {
    const answer = await api.request('/api/nothing');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="lowrank"');
  });

  test('a header that once switched a framework’s checks off changes nothing', async () => {
    const answer = await api.request('/api/me', { headers: { 'x-middleware-subrequest': 'middleware:middleware:middleware' } });
    expect(answer.status).toBe(401);
  });

  test('OPTIONS names the methods and opens no door to other origins', async () => {
    const answer = await api.request('/api/keys', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the error envelope', () => {
  const rows = [expect.objectContaining({ path: expect.any(String), message: expect.any(String), code: expect.any(String) })];

  test('holds a sentence, a code, rows and the request id that the header has', async () => {
    const answer = await post('/api/keys', { name: '' });
    const body = await answer.json();
    expect(answer.status).toBe(400);
    expect(body).toEqual({
      error: 'name must not be empty',
      message: 'name must not be empty',
      code: 'invalid_request',
      details: rows,
      request_id: answer.headers.get('x-request-id'),
    });
  });

  test('has details as one string and the rows as violations at door B', async () => {
    const body = await (await post('/api/jobs', { dataset_id: 'x' })).json();
    expect(body).toMatchObject({
      code: 'invalid_request',
      details: expect.stringContaining('dataset_id must be a UUID'),
      violations: rows,
    });
  });

  test('names every broken rule at once, each field by its path', async () => {
    const body = await (
      await post('/api/jobs', {
        dataset_id: 7,
        preset_id: 'warp',
        hyperparameters: { rank: 3, learning_rate: '1e-4', batch_size: 1.5, epochs: true, warp: 1 },
        foo: 1,
        status: 'completed',
      })
    ).json();
    const seen = Object.fromEntries(body.violations.map((row: { path: string; code: string }) => [row.path, row.code]));
    expect(seen).toEqual({
      dataset_id: 'invalid_type',
      preset_id: 'invalid_value',
      'hyperparameters.rank': 'too_small',
      'hyperparameters.learning_rate': 'invalid_type',
      'hyperparameters.batch_size': 'invalid_type',
      'hyperparameters.epochs': 'invalid_type',
      'hyperparameters.warp': 'unknown_field',
      foo: 'unknown_field',
      status: 'unknown_field',
    });
  });

  test('holds at most 50 rows', async () => {
    const body = await (await post('/api/keys', Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`f${i}`, 1])))).json();
    expect(body.details).toHaveLength(50);
  });

  test('a fault of ours is answered blandly', async () => {
    const broken = makeApi();
    broken.openapi({ method: 'get', path: '/api/broken', responses: { 200: { description: 'never' } } }, () => {
      throw new Error('SELECT secret FROM /home/somebody');
    });
    const answer = await broken.request('/api/broken', { headers: caller.headers });
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toMatch(/SELECT|somebody|at /);
    expect(JSON.parse(text)).toMatchObject({ code: 'internal' });
  });
});

describe('a body', () => {
  const deep = (depth: number) => `{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const table: [string, string | Uint8Array, number, string, string?][] = [
    ['that is empty', '', 400, 'invalid_json'],
    ['that is cut off', '{', 400, 'invalid_json'],
    ['with NaN', '{"name":NaN}', 400, 'invalid_json'],
    ['with a trailing comma', '{"name":"a",}', 400, 'invalid_json'],
    ['with a comment', '{"name":"a"/* */}', 400, 'invalid_json'],
    ['that is not UTF-8', new Uint8Array([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')]), 400, 'invalid_json'],
    ['that is a list', '[]', 400, 'invalid_request', 'invalid_type'],
    ['that is null', 'null', 400, 'invalid_request', 'invalid_type'],
    ['with a key twice', '{"name":"a","name":"b"}', 400, 'invalid_request', 'duplicate_key'],
    ['with a key twice, once escaped', '{"name":"a","n\\u0061me":"b"}', 400, 'invalid_request', 'duplicate_key'],
    ['with __proto__', '{"name":"a","__proto__":{"scopes":["read"]}}', 400, 'invalid_request', 'unknown_field'],
    ['with constructor', '{"name":"a","constructor":{"prototype":{}}}', 400, 'invalid_request', 'unknown_field'],
    ['with NUL in a text', '{"name":"a\\u0000b"}', 400, 'invalid_request', 'invalid_characters'],
    ['with half a surrogate pair', '{"name":"\\ud800"}', 400, 'invalid_request', 'invalid_characters'],
    ['nested 33 deep', deep(32), 400, 'invalid_request', 'too_deep'],
    ['nested 100,000 deep', deep(100_000), 400, 'invalid_request', 'too_deep'],
    [
      'with 501 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 501 }, (_, i) => [i, i]))),
      400,
      'invalid_request',
      'too_many_keys',
    ],
    ['of 256 kB and a byte', `{"name":"${'a'.repeat(256_000 - 10)}"}`, 413, 'payload_too_large'],
  ];

  test.each(table)('%s is refused', async (_, body, status, code, row) => {
    const answer = await api.request('/api/keys', {
      method: 'POST',
      headers: { ...browser.headers, 'content-type': 'application/json' },
      body: new Blob([body as BlobPart]),
    });
    const told = await answer.json();
    expect([answer.status, told.code]).toEqual([status, code]);
    if (row !== undefined) expect(told.details.map((one: { code: string }) => one.code)).toContain(row);
  });

  test('of 256 kB exactly is read', async () => {
    const body = `{"name":"${'a'.repeat(256_000 - 11)}"}`;
    expect(Buffer.byteLength(body)).toBe(256_000);
    expect(await (await post('/api/keys', body)).json()).toMatchObject({ message: 'name must have at most 120 characters' });
  });

  test('with a BOM is read', async () => {
    expect((await post('/api/keys', '\uFEFF{"name":"bom"}')).status).toBe(201);
  });

  test.each([
    [undefined],
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/json; charset=latin1'],
  ])('of Content-Type %s is refused', async (type) => {
    const headers = { ...browser.headers, ...(type !== undefined && { 'content-type': type }) };
    const body = new Blob(['{"name":"a"}']);
    expect((await api.request('/api/keys', { method: 'POST', headers, body })).status).toBe(415);
  });

  test('that is packed is refused', async () => {
    expect((await post('/api/keys', {}, { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test('where none belongs may be an empty object and nothing else', async () => {
    const path = `/api/jobs/${NO_ID}/start`;
    expect((await api.request(path, { method: 'POST', headers: browser.headers })).status).toBe(404);
    expect((await post(path, {})).status).toBe(404);
    expect(await (await post(path, { discard: true })).json()).toMatchObject({
      code: 'invalid_request',
      violations: [{ path: 'discard' }],
    });
  });
});

describe('an address', () => {
  const get = (path: string, init: RequestInit = {}) =>
    api.request(path, { ...init, headers: { ...caller.headers, ...init.headers } });

  test.each([
    '/api/%2e%2e%2fme',
    '/api//me',
    '/api/me;x=y',
    '/api/me.',
    '/api/me/',
    '/api/me%00',
    '/api/nothing',
    '/api/%ff',
    '/nothing',
  ])('%s is not found, in the envelope', async (path) => {
    const answer = await get(path);
    expect([answer.status, (await answer.json()).code]).toEqual([404, 'not_found']);
  });

  test('of a known path with another method names what it takes', async () => {
    const answer = await get(`/api/jobs/${NO_ID}/cancel`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    const put = await get('/api/keys', { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD']);
  });

  test.each(['/api/training/submit', '/api/jobs/estimate', '/api/datasets/upload'])(
    'of %s takes no GET, though a parameter would stand there',
    async (path) => {
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        const answer = await get(path, { method });
        expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'POST']);
      }
      expect((await get(path, { method: 'OPTIONS' })).headers.get('allow')).toBe('POST, OPTIONS');
    },
  );

  test('with X-HTTP-Method-Override is what its method says', async () => {
    expect((await get('/api/me', { headers: { 'x-http-method-override': 'DELETE' } })).status).toBe(200);
  });

  test('answers HEAD as GET without its body, and never opens a stream for it', async () => {
    const head = await get('/api/me', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get(`/api/jobs/${NO_ID}/stream`, { method: 'HEAD' })).status).toBe(405);
  });

  test('with unknown query parameters names each', async () => {
    const body = await (await get('/api/me?user_id=1&limit[]=10')).json();
    expect(body.details).toEqual([
      { path: 'user_id', message: 'is not a known parameter', code: 'unknown_parameter' },
      { path: 'limit[]', message: 'is not a known parameter', code: 'unknown_parameter' },
    ]);
    expect((await get('/api/jobs?limit=1&limit=2')).status).toBe(400);
    expect((await get('/api/jobs?status=%00')).status).toBe(400);
  });
});

describe('where a request comes from', () => {
  test.each(['evil.example', 'localhost:81', 'localhost.evil.example', ''])('Host %j is misdirected', async (host) => {
    expect((await api.request('/api/me', { headers: { ...caller.headers, host } })).status).toBe(421);
  });
});

describe('the process itself', () => {
  test('is alive without its database and ready with it', async () => {
    expect(await (await api.request('/api/health')).json()).toEqual({ status: 'ok' });
    expect(await (await api.request('/api/ready')).json()).toEqual({ status: 'ready' });
  });

  test('describes itself in OpenAPI 3.1, to those who are signed in', async () => {
    const answer = await api.request('/openapi.json', { headers: caller.headers });
    const document = await answer.json();
    expect(document).toMatchObject({ openapi: '3.1.0', paths: { '/api/jobs': { post: expect.anything() } } });
    expect(document.paths['/api/health'].get.security).toEqual([]);
    expect(document.paths['/api/keys'].post.security).toEqual([{ session: [] }]);
  });
});
