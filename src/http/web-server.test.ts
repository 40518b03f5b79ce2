import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createRoute } from '@hono/zod-openapi';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { addCaller, TEST_OPTIONS } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';
import { addressesOf } from './addresses.ts';
import { createApi } from './api.ts';
import { drain, listen, type Pages, serve } from './web-server.ts';

const db = useDatabase();
const BODY_TIMEOUT_MS = 300;

/** A route that takes its body as it comes, as uploads do. */
const streamRoute = createRoute({
  method: 'post',
  path: '/api/stream',
  request: { body: { content: { 'application/octet-stream': {} } } },
  responses: { 200: { description: 'Counted' } },
});
let onBytes: (bytes: number) => void = () => undefined;

const drawn: IncomingMessage[] = [];
const pages: Pages = {
  handle(request, response) {
    drawn.push(request);
    // As Next does: what is set already stays.
    const lasting = request.url?.startsWith('/_next/static/') ? 'public, max-age=31536000, immutable' : 's-maxage=31536000';
    if (!response.hasHeader('cache-control')) response.setHeader('cache-control', lasting);
    response.setHeader('content-type', 'text/html').end('<h1>page</h1>');
  },
  policy: (path) =>
    path === '/built' ? { header: "script-src 'sha256-x'", nonce: null } : { header: "script-src 'nonce-abc'", nonce: 'abc' },
};

let server: Server;
let port: number;
let url: string;
let caller: Awaited<ReturnType<typeof addCaller>>;

async function start(options: { pages: Pages | null } = { pages }): Promise<void> {
  ({ server, port } = await listen('127.0.0.1', 0));
  const addresses = addressesOf({ host: '127.0.0.1', port }, { hosts: [] });
  url = addresses.base_url;
  const common = { ...addresses, body_timeout_ms: BODY_TIMEOUT_MS, log: TEST_OPTIONS.log };
  const api = createApi({ ...TEST_OPTIONS, ...common });
  api.openapi(streamRoute, async (c) => {
    let bytes = 0;
    const reader = c.req.raw.body?.getReader();
    for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
      bytes += next.value.byteLength;
      onBytes(bytes);
    }
    return c.json({ bytes }, 200);
  });
  serve(server, { ...common, api, pages: options.pages });
}

beforeAll(async () => {
  caller = await addCaller(db);
  await start();
});
afterAll(async () => {
  await drain(server);
  await silenceJobBell();
});

/** Sends bytes as they are and reads all that comes back until the other side closes. */
async function raw(bytes: string): Promise<{ status: number; headers: string; body: string }> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const answer = await text(socket);
  const [headers = '', body = ''] = answer.split('\r\n\r\n');
  return { status: Number(headers.split(' ')[1]), headers, body };
}
const host = () => `Host: 127.0.0.1:${port}\r\n`;
const key = () => `Authorization: ${caller.headers.authorization}\r\n`;

describe('a request as it arrives', () => {
  test('for another Host is misdirected, page or API', async () => {
    for (const path of ['/', '/api/health']) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([421, 'misdirected_request']);
    }
    expect((await raw('GET / HTTP/1.0\r\n\r\n')).status).toBe(421);
  });

  test.each([
    '/api/%2e%2e/api/health',
    '/api/../api/health',
    '/%2e%2e%2fetc/passwd',
    '//api/health',
    '/api/health;x=y',
    '/api\\health',
    '/a%00',
  ])('with the target %s is not found, before anything rewrites it', async (target) => {
    drawn.length = 0;
    const answer = await raw(`GET ${target} HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`);
    expect([answer.status, JSON.parse(answer.body).code, drawn.length]).toEqual([404, 'not_found', 0]);
  });

  test('with headers of 64 KB gets 431 in the envelope', async () => {
    const answer = await raw(`GET / HTTP/1.1\r\n${host()}X: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      431,
      expect.objectContaining({ code: 'headers_too_large', details: [] }),
    ]);
  });

  test('that is no HTTP gets 400 in the envelope', async () => {
    const answer = await raw('\x16\x03\x01 hello\r\n\r\n');
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'invalid_request']);
  });

  test.each<[string, string, number, string]>([
    ['without a Host', 'GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'invalid_request'],
    [
      'with two Hosts',
      'GET /api/health HTTP/1.1\r\nHOST\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      400,
      'invalid_request',
    ],
    ['that expects what nobody knows', 'POST /api/jobs HTTP/1.1\r\nHOST\r\nExpect: miracles\r\n\r\n', 417, 'expectation_failed'],
    ['for a proxy', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', 400, 'invalid_request'],
    ['of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request'],
    ['with a method that is none', 'FETCH / HTTP/1.1\r\nHOST\r\n\r\n', 400, 'invalid_request'],
    ['with two lengths', 'POST / HTTP/1.1\r\nHOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400, 'invalid_request'],
    [
      'with a length and chunks',
      'POST / HTTP/1.1\r\nHOST\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_request',
    ],
    ['with a line break in a header', 'GET / HTTP/1.1\r\nHOST\r\nX: a\nb\r\n\r\n', 400, 'invalid_request'],
    ['that traces', 'TRACE / HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n', 405, 'method_not_allowed'],
    ['that traces the API', 'TRACE /api/health HTTP/1.1\r\nHOST\r\nKEY\r\nConnection: close\r\n\r\n', 405, 'method_not_allowed'],
    [
      'for another protocol',
      'GET /api/me HTTP/1.1\r\nHOST\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
      401,
      'unauthenticated',
    ],
  ])('%s is refused in the envelope', async (_, bytes, status, code) => {
    const answer = await raw(bytes.replace('HOST\r\n', host()).replace('KEY\r\n', key()));
    const [told, ...rest] = answer.body.split(/(?<=\})(?=HTTP)/);
    expect([answer.status, rest, JSON.parse(told ?? '')]).toEqual([
      status,
      [],
      expect.objectContaining({ code, message: expect.any(String), request_id: expect.stringMatching(/^req_/) }),
    ]);
    expect(answer.headers.toLowerCase()).toContain('content-type: application/json');
  });

  test('that wants another protocol passes the gate as any other, also when what draws the pages listens for it', async () => {
    const taken: string[] = [];
    // As Next does once it has drawn its first page.
    server.on('upgrade', (request) => void taken.push(request.url ?? ''));
    const ask = (path: string, name: string, more = '') =>
      raw(`GET ${path} HTTP/1.1\r\n${name}${more}Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`);
    try {
      expect((await ask('/api/me', host(), key())).status).toBe(200);
      expect((await ask('/api/me', host())).status).toBe(401);
      expect((await ask('/api/health', 'Host: evil.example\r\n')).status).toBe(421);
      expect((await ask('/', host())).body).toContain('<h1>page</h1>');
      expect(taken).toEqual([]);
    } finally {
      server.removeAllListeners('upgrade');
    }
  });

  test('for what is no page and not there yet is answered as the API does, not by a page', async () => {
    drawn.length = 0;
    for (const path of ['/metrics/x', '/api', '/api/', '/api/nothing', '/openapi.json/x']) {
      const ask = (headers: string) => raw(`GET ${path} HTTP/1.1\r\n${host()}${headers}Connection: close\r\n\r\n`);
      const [stranger, known] = [await ask(''), await ask(key())];
      expect([path, stranger.status, JSON.parse(stranger.body).code]).toEqual([path, 401, 'unauthenticated']);
      expect([path, known.status, JSON.parse(known.body).code]).toEqual([path, 404, 'not_found']);
    }
    expect(drawn).toEqual([]);
    for (const path of ['/', '/docs', '/docsy', '/apis', '/metrics.html', '/nothing'])
      expect((await raw(`GET ${path} HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).body).toContain('<h1>page</h1>');
  });

  test('that is broken, behind one that is being answered, is not answered into its middle', async () => {
    const job = await addJob(db, caller.user_id);
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /api/jobs/${job}/stream HTTP/1.1\r\n${host()}${key()}\r\n`);
    let told = '';
    socket.on('data', (chunk) => {
      if (told === '') socket.write('nonsense\r\n\r\n');
      told += chunk;
    });
    // It is cut off, as it must be.
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(told).toContain('event: hello');
    expect(told.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('with two Authorization headers is not signed in', async () => {
    const ask = (headers: string) => raw(`GET /api/me HTTP/1.1\r\n${host()}${headers}Connection: close\r\n\r\n`);
    const other = `Authorization: Bearer lowrank_${'0'.repeat(49)}\r\n`;
    expect((await ask(key())).status).toBe(200);
    expect((await ask(other + key())).status).toBe(401);
    expect((await ask(key() + other)).status).toBe(401);
  });
});

describe('a body that arrives slowly', () => {
  const head = (more: string) =>
    `POST /api/base-models HTTP/1.1\r\n${host()}${key()}Content-Type: application/json\r\n${more}\r\n`;

  test.each([
    ['shorter than it says', () => `${head('Content-Length: 100\r\n')}{"name":`],
    ['in chunks without an end', () => `${head('Transfer-Encoding: chunked\r\n')}8\r\n{"name":\r\n`],
  ])('%s gets 408 in time', async (_, bytes) => {
    const answer = await raw(bytes());
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([408, 'request_timeout']);
  });

  test('to a route that takes it as a stream gets 408 too', async () => {
    const answer = await raw(`POST /api/stream HTTP/1.1\r\n${host()}${key()}Content-Length: 5\r\n\r\nab`);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([408, 'request_timeout']);
  });

  test('reaches a route that takes it as a stream while it still is sent', async () => {
    const half = Promise.withResolvers<void>();
    onBytes = (bytes) => bytes === 1_000 && half.resolve();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new Uint8Array(1_000));
        await half.promise;
        controller.enqueue(new Uint8Array(1_000));
        controller.close();
      },
    });
    const answer = await fetch(`${url}/api/stream`, {
      method: 'POST',
      headers: caller.headers,
      body,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toEqual({ bytes: 2_000 });
  });

  test('that is too large is refused by its announcement and by its bytes', async () => {
    const init = { method: 'POST', headers: { ...caller.headers, 'content-type': 'application/json' } };
    const body = `{"name":"${'a'.repeat(5_000_000)}"}`;
    expect((await fetch(`${url}/api/base-models`, { ...init, body })).status).toBe(413);
    const chunks = new Blob([body]).stream();
    const answer = await fetch(`${url}/api/base-models`, { ...init, body: chunks, duplex: 'half' } as RequestInit);
    expect([answer.status, (await answer.json()).code]).toEqual([413, 'payload_too_large']);
  });
});

describe('a body that waits to be asked for', () => {
  const ask = (path: string, more: string) =>
    `POST ${path} HTTP/1.1\r\n${host()}Content-Type: application/json\r\nExpect: 100-continue\r\n${more}\r\n`;

  test.each<[string, string, () => string, number]>([
    ['that is too large', '/api/base-models', () => `${key()}Content-Length: 5000000\r\n`, 413],
    ['that is larger than a dataset may be', '/api/datasets/upload', () => `${key()}Content-Length: 700000000\r\n`, 413],
    ['of a stranger', '/api/base-models', () => 'Content-Length: 2\r\n', 401],
    ['for another Host', '/api/base-models', () => 'Host: evil.example\r\nContent-Length: 2\r\n', 400],
  ])('%s is never asked for', async (_, path, more, status) => {
    const answer = await raw(ask(path, more()));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ request_id: expect.any(String) });
  });

  test('and is wanted is asked for once, and then read', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(ask('/api/base-models', `${key()}Content-Length: 13\r\n`));
    const heard: string[] = [];
    for await (const chunk of socket) {
      heard.push(String(chunk));
      if (heard.length === 1) socket.write('{"hf_repo":1}');
    }
    expect(heard[0]).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect(heard.join('')).toMatch(/HTTP\/1\.1 400 .*"hf_repo"/s);
    expect(heard.join('').match(/100 Continue/g)).toHaveLength(1);
  });
});

describe('a page', () => {
  test('carries its policy and the headers of every answer', async () => {
    const built = await fetch(`${url}/built`);
    expect(Object.fromEntries(built.headers)).toMatchObject({
      'content-security-policy': "script-src 'sha256-x'",
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect((await fetch(`${url}/jobs/1`)).headers.get('content-security-policy')).toBe("script-src 'nonce-abc'");
  });

  test.each([
    ['/', 'private, no-cache'],
    ['/jobs/1?tab=log', 'private, no-cache'],
    ['/nothing/_next/static/x.js', 'private, no-cache'],
    ['/_next/static/chunks/x.js', 'public, max-age=31536000, immutable'],
  ])('%s tells caches: %s', async (path, told) => {
    expect((await fetch(`${url}${path}`)).headers.get('cache-control')).toBe(told);
  });

  test('is drawn with our nonce, never with one that the client sent', async () => {
    drawn.length = 0;
    await fetch(`${url}/jobs/1`, { headers: { 'content-security-policy': "script-src 'nonce-evil'" } });
    await fetch(`${url}/built`, { headers: { 'content-security-policy': "script-src 'nonce-evil'" } });
    expect(drawn.map((request) => request.headers['content-security-policy'])).toEqual([
      "script-src 'nonce-abc'",
      "script-src 'none'",
    ]);
  });

  test('takes no POST', async () => {
    const answer = await fetch(`${url}/`, { method: 'POST', body: 'x' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('the end of the process', () => {
  afterEach(() => start());

  test('lets what runs finish and takes nothing new', async () => {
    const slow = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    await drain(server);
    await start({
      pages: {
        ...pages,
        async handle(_, response) {
          entered.resolve();
          await slow.promise;
          response.end('done');
        },
      },
    });
    const running = fetch(`${url}/slow`);
    await entered.promise;
    const drained = drain(server);
    await expect(fetch(`${url}/api/health`)).rejects.toThrow();
    slow.resolve();
    expect(await (await running).text()).toBe('done');
    await drained;
  });
});

test('a live stream ends with the process, so that its client comes back', async () => {
  const job = await addJob(db, caller.user_id);
  const stream = await fetch(`${url}/api/jobs/${job}/stream`, { headers: caller.headers });
  expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const reader = stream.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('event: hello');
  const drained = drain(server);
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read());
  await drained;
  await start();
});

test('a port that is taken is named', async () => {
  await expect(listen('127.0.0.1', port)).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken by another program`);
});
