/** Schemathesis reads our own document and holds the running server to it: well-formed and broken requests, with and without credentials. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressesOf } from '#/http/addresses.ts';
import { createApi } from '#/http/api.ts';
import { PUBLIC_ROUTES } from '#/http/public-routes.ts';
import { type RouteTable, routeTable } from '#/http/route-table.ts';
import { drain, listen, serve } from '#/http/web-server.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, noWaiting, TEST_OPTIONS } from '../api.ts';
import { useDatabase } from '../database.ts';
import { makeScene } from '../schemathesis/scene.ts';
import { REPO } from './studio.ts';

const FOLDER = join(REPO, 'test/schemathesis');
const PROGRAM = join(FOLDER, '.venv/bin/schemathesis');

const db = useDatabase();
let folder: string;
let server: Server;
let url: string;
let table: RouteTable;
/** Fewer requests than the smallest limit of a minute has. */
const RESET_EVERY = 5;
/** Answers of each operation by status, as the server gave them. */
const answered: Record<string, Record<number, number>> = {};

let asked = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-schemathesis-'));
  const storage = localFolder(join(folder, 'storage'));
  connectStorage(storage);
  const listening = await listen('127.0.0.1', 0);
  server = listening.server;
  const addresses = addressesOf({ host: '127.0.0.1', port: listening.port }, { hosts: [] });
  url = addresses.base_url;
  const api = createApi({ ...TEST_OPTIONS, ...addresses, open_sign_up: true });
  table = routeTable(api.openAPIRegistry.definitions);
  const answer = api.fetch;
  api.fetch = async (request, ...more) => {
    const route = table.find(request.method, new URL(request.url).pathname);
    const name = route === undefined ? 'none' : `${route.method} ${route.template}`;
    // A run asks for more in a minute than anybody may. What counts people apart from users stays as it is.
    if (!PUBLIC_ROUTES.has(name) && asked++ % RESET_EVERY === 0) await noWaiting(db);
    const made = await answer(request, ...more);
    answered[name] = { ...answered[name], [made.status]: (answered[name]?.[made.status] ?? 0) + 1 };
    return route?.is_event_stream && made.ok ? firstEventOf(made) : made;
  };
  const scene = await makeScene(db, storage, folder, table.all, url);
  writeFileSync(join(folder, 'scene.json'), JSON.stringify(scene));
  serve(server, { ...addresses, api, pages: null, body_timeout_ms: TEST_OPTIONS.body_timeout_ms, log: TEST_OPTIONS.log });
});
afterAll(async () => {
  await drain(server);
  await silenceJobBell();
  rmSync(folder, { recursive: true, force: true });
});

/** A stream never ends by itself, and whoever holds it to its document reads to the end. */
async function firstEventOf(stream: Response): Promise<Response> {
  const reader = stream.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return new Response(first?.value ?? null, { status: stream.status, headers: stream.headers });
}

/** Operations that no run of this can bring to a success, and why. */
const NEVER_SUCCEED: Record<string, string> = {
  'POST /api/first-run': 'there are people already',
  'POST /api/sign-in-link': 'its token is in nobody’s hands',
  'POST /api/auth/change-password': 'nobody here has a password',
  'POST /api/auth/sign-in': 'nobody here has a password',
  'DELETE /api/me': 'nobody here has a password',
  'GET /api/downloads/{token}': 'its token is signed',
};

test('no operation answers what its document does not have', async () => {
  const { headers } = await addCaller(db);
  const document = await (await fetch(`${url}/openapi.json`, { headers })).text();
  writeFileSync(join(folder, 'openapi.json'), document);
  const operations = table.all.map((route) => `${route.method} ${route.template}`);

  const args = ['--config-file', join(FOLDER, 'schemathesis.toml'), 'run', join(folder, 'openapi.json'), '--url', url];
  const child = spawn(PROGRAM, args, {
    cwd: folder,
    env: {
      ...process.env,
      HOME: folder,
      NO_COLOR: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      SCHEMATHESIS_HOOKS: 'hooks',
      PYTHONPATH: FOLDER,
      SCENE: join(folder, 'scene.json'),
      DOCUMENT: join(folder, 'openapi.json'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const failures = said.slice(said.indexOf('= FAILURES'), said.indexOf('= WARNINGS'));
  expect(code, code === 0 ? '' : failures.slice(0, 20_000) || said.slice(-5_000)).toBe(0);
  const tested = Number(/^ +Tested: (\d+)$/m.exec(said)?.[1]);
  const cases = Number(/^ +(\d+) generated/m.exec(said)?.[1]);

  const succeeded = operations.filter((name) => Object.keys(answered[name] ?? {}).some((status) => Number(status) < 400));
  console.log(`Schemathesis: ${tested} operations, ${cases} cases, ${succeeded.length} operations with a success`);
  expect(tested).toBe(operations.length);
  expect(cases).toBeGreaterThan(50 * operations.length);
  const faults = Object.entries(answered).filter(([, statuses]) => Object.keys(statuses).some((status) => Number(status) >= 500));
  expect(faults).toEqual([]);
  // A new operation wants rows of its collection in scene.ts, an example that can be carried out, or its reason above.
  expect(operations.filter((name) => !succeeded.includes(name) && !(name in NEVER_SUCCEED))).toEqual([]);
}, 900_000);
