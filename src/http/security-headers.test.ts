import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addBrowser, addCaller, makeApi, TEST_OPTIONS } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { pagePolicies } from './page-policy.ts';
import { drain, listen, serve } from './web-server.ts';

const db = useDatabase();
const EVERYWHERE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};
const BEHIND_TLS = 'https://studio.example.org';

let folder: string;
let key: string;
let cookie: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-headers-'));
  await mkdir(join(folder, 'server/app'), { recursive: true });
  await writeFile(join(folder, 'server/app/index.html'), '<script>home()</script>');
  key = (await addCaller(db)).headers.authorization;
  cookie = (await addBrowser(db)).headers.cookie;
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([
  ['in plain HTTP', 'http://localhost', null],
  ['behind TLS', BEHIND_TLS, 'max-age=31536000'],
])('%s', (_, base_url, hsts) => {
  let server: Server;
  let port: number;
  const host = new URL(base_url).host;
  beforeAll(async () => {
    ({ server, port } = await listen('127.0.0.1', 0));
    const common = { base_url, allowed_hosts: [host], body_timeout_ms: 1_000, log: TEST_OPTIONS.log };
    const pages = {
      handle: (_request: unknown, response: { setHeader(name: string, value: string): { end(body: string): void } }) =>
        response.setHeader('content-type', 'text/html').end('<h1>page</h1>'),
      policy: await pagePolicies(folder),
    };
    serve(server, { ...common, api: makeApi(common), pages });
  });
  afterAll(() => drain(server));

  /** The head of what is answered to these bytes, by name, and the body. */
  async function ask(
    line: string,
    ...headers: string[]
  ): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const socket = connect(port, '127.0.0.1');
    socket.write([line, ...headers, 'Connection: close', '', ''].join('\r\n'));
    const answer = await text(socket);
    const [first = '', ...lines] = answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
    return {
      status: Number(first.split(' ')[1]),
      headers: Object.fromEntries(lines.map((one) => [one.split(':')[0]?.toLowerCase(), one.slice(one.indexOf(':') + 1).trim()])),
      body: answer.slice(answer.indexOf('\r\n\r\n') + 4),
    };
  }
  const known = `Host: ${host}`;

  test.each<[string, number, () => string[]]>([
    ['what anybody may ask', 200, () => ['GET /api/health HTTP/1.1', known]],
    ['what one may ask with a key', 200, () => ['GET /api/me HTTP/1.1', known, `Authorization: ${key}`]],
    ['a list', 200, () => ['GET /api/jobs HTTP/1.1', known, `Authorization: ${key}`]],
    ['the document', 200, () => ['GET /openapi.json HTTP/1.1', known, `Authorization: ${key}`]],
    ['nobody', 401, () => ['GET /api/me HTTP/1.1', known]],
    ['another site', 403, () => ['DELETE /api/keys/1 HTTP/1.1', known, `Cookie: ${cookie}`, 'Origin: https://evil.example']],
    ['what is not there', 404, () => ['GET /api/nothing HTTP/1.1', known, `Authorization: ${key}`]],
    ['a path with tricks', 404, () => ['GET /a/../b HTTP/1.1', known]],
    ['another method', 405, () => ['PUT /api/jobs HTTP/1.1', known, `Authorization: ${key}`]],
    ['a page that is posted to', 405, () => ['POST / HTTP/1.1', known, 'Content-Length: 0']],
    ['another Host', 421, () => ['GET / HTTP/1.1', 'Host: evil.example']],
    ['no Host', 400, () => ['GET / HTTP/1.1']],
    ['an expectation', 417, () => ['GET /api/health HTTP/1.1', known, 'Expect: miracles']],
    ['large headers', 431, () => ['GET / HTTP/1.1', known, `X: ${'x'.repeat(64 * 1024)}`]],
    ['what is no HTTP', 400, () => ['nonsense']],
  ])('the answer to %s is kept nowhere, runs nothing and is framed by nobody', async (_, status, request) => {
    const [line = '', ...headers] = request();
    const answer = await ask(line, ...headers);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      ...EVERYWHERE,
      'content-type': expect.stringMatching(/^application\/json/),
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
      'x-request-id': expect.stringMatching(/^req_/),
    });
    expect(answer.headers['strict-transport-security'] ?? null).toBe(hsts);
    if (status >= 400) expect(JSON.parse(answer.body)).toMatchObject({ request_id: answer.headers['x-request-id'] });
  });

  test.each(['/', '/jobs/1', '/nothing'])(
    'the page %s loads from here alone, runs what is ours and is framed by nobody',
    async (path) => {
      const answer = await ask(`GET ${path} HTTP/1.1`, known);
      expect(answer.headers).toMatchObject({ ...EVERYWHERE, 'content-type': 'text/html' });
      expect(answer.headers['strict-transport-security'] ?? null).toBe(hsts);
      const policy = Object.fromEntries(
        (answer.headers['content-security-policy'] ?? '')
          .split('; ')
          .map((part) => [part.split(' ')[0], part.split(' ').slice(1)]),
      );
      expect(policy).toMatchObject({
        'default-src': ["'self'"],
        'connect-src': ["'self'"],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      });
      for (const source of policy['script-src'] ?? []) expect(source).toMatch(/^'(self|nonce-[^']+|sha256-[^']+)'$/);
    },
  );
});
