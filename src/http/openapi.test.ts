import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { addBrowser, addCaller, documentedStatuses, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import type { Api } from './api-env.ts';
import { openApiDocument } from './openapi.ts';
import { PUBLIC_ROUTES } from './public-routes.ts';
import { type KnownRoute, routeTable } from './route-table.ts';

const db = useDatabase();
const NO_ID = '00000000-0000-4000-8000-000000000000';
const BODY_TIMEOUT_MS = 50;
/** Changes of one user and minute that have no limit of their own; those of a session alone. */
const EVERY_CHANGE = 120;
const EVERY_CHANGE_OF_THE_ACCOUNT = 60;

let api: Api;
let routes: KnownRoute[];
let statuses: (route: KnownRoute) => number[];
let signed_in: Record<string, string>;
let key: Record<string, string>;
let other_key: Record<string, string>;
let reader: Record<string, string>;
let writer: Record<string, string>;
afterAll(silenceJobBell);
beforeAll(async () => {
  api = makeApi({ body_timeout_ms: BODY_TIMEOUT_MS });
  routes = routeTable(api.openAPIRegistry.definitions).all;
  const statusesOf = documentedStatuses(api);
  statuses = (route) => statusesOf(route.method, route.template);
  signed_in = (await addBrowser(db)).headers;
  key = (await addCaller(db)).headers;
  other_key = (await addCaller(db)).headers;
  reader = (await addCaller(db, { scopes: ['read'] })).headers;
  writer = (await addCaller(db, { scopes: ['write'] })).headers;
});
beforeEach(() => noWaiting(db));

const nameOf = (route: KnownRoute) => `${route.method} ${route.template}`;
const isPublic = (route: KnownRoute) => PUBLIC_ROUTES.has(nameOf(route));
const changes = (route: KnownRoute) => route.method !== 'GET';
const anyone = (route: KnownRoute): Record<string, string> => (isPublic(route) ? {} : signed_in);
const json = { 'content-type': 'application/json' };
const never = () => new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from('{')) });

interface Provocation {
  status: number;
  /** Whose shape makes this possible. */
  can(route: KnownRoute): boolean;
  path?: (path: string) => string;
  ask(route: KnownRoute): RequestInit & { duplex?: 'half' };
}

const PROVOCATIONS: Record<string, Provocation> = {
  'an unknown parameter': {
    status: 400,
    can: () => true,
    path: (path) => `${path}?nonsense=1`,
    ask: (route) => ({ method: route.method, headers: anyone(route) }),
  },
  'two people at once': {
    status: 400,
    can: (route) => !isPublic(route),
    ask: (route) => ({ method: route.method, headers: { ...other_key, cookie: signed_in.cookie ?? '' } }),
  },
  'a body that is no JSON': {
    status: 400,
    can: (route) => route.body === 'json',
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), ...json }, body: '{' }),
  },
  nobody: { status: 401, can: (route) => !isPublic(route), ask: (route) => ({ method: route.method }) },
  'the page of another site': {
    status: 403,
    can: changes,
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), origin: 'https://evil.example' } }),
  },
  'a key without the scope': {
    status: 403,
    can: (route) => !isPublic(route),
    ask: (route) => ({ method: route.method, headers: changes(route) ? reader : writer }),
  },
  'a key where a session is needed': {
    status: 403,
    can: (route) => route.session_only,
    ask: (route) => ({ method: route.method, headers: key }),
  },
  'another method': { status: 405, can: () => true, ask: () => ({ method: 'PUT', headers: signed_in }) },
  'another method, by nobody, where everything is public': {
    status: 405,
    can: isPublic,
    ask: () => ({ method: 'PUT' }),
  },
  'a body that stops': {
    status: 408,
    can: (route) => changes(route) && route.body !== 'stream',
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), ...json }, body: never(), duplex: 'half' }),
  },
  'a key for idempotency with a space': {
    status: 400,
    can: (route) => statuses(route).includes(201) && !isPublic(route) && route.body !== 'stream',
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), ...json, 'idempotency-key': 'a b' }, body: '{}' }),
  },
  'a body of a terabyte': {
    status: 413,
    can: changes,
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), ...json, 'content-length': '1000000000000' } }),
  },
  'a body of another type': {
    status: 415,
    can: changes,
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), 'content-type': 'text/plain' }, body: 'x' }),
  },
  'a packed body': {
    status: 415,
    can: changes,
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), ...json, 'content-encoding': 'gzip' }, body: '{}' }),
  },
  'another Host': {
    status: 421,
    can: () => true,
    ask: (route) => ({ method: route.method, headers: { ...anyone(route), host: 'evil.example' } }),
  },
};

describe('the document', () => {
  test.each(Object.entries(PROVOCATIONS))('has what every route answers to %s', async (_, { status, can, path, ask }) => {
    const statusesOf = documentedStatuses(api);
    const asked = routes.filter(can);
    expect(asked.length).toBeGreaterThan(0);
    for (const route of asked) {
      const plain = route.template.replaceAll(/\{[^}]+\}/g, NO_ID);
      const answer = await api.request(path?.(plain) ?? plain, ask(route));
      expect([nameOf(route), answer.status]).toEqual([nameOf(route), status]);
      expect([nameOf(route), statusesOf(route.method, route.template)]).toEqual([
        nameOf(route),
        expect.arrayContaining([status]),
      ]);
      expect(await answer.json()).toMatchObject({ code: expect.any(String), request_id: answer.headers.get('x-request-id') });
    }
  });

  test('has 429 wherever requests have a limit of their own', async () => {
    const statusesOf = documentedStatuses(api);
    const counted: string[] = [];
    for (const route of routes.filter((one) => changes(one) && !isPublic(one) && !one.session_only)) {
      const path = route.template.replaceAll(/\{[^}]+\}/g, NO_ID);
      const ask = () => api.request(path, { method: route.method, headers: { ...key, 'content-encoding': 'gzip' } });
      const limit = Number((await ask()).headers.get('ratelimit-limit'));
      if (limit === EVERY_CHANGE) continue;
      counted.push(nameOf(route));
      for (let i = 1; i < limit; i++) await ask();
      expect((await ask()).status).toBe(429);
      expect(statusesOf(route.method, route.template)).toContain(429);
      await noWaiting(db);
    }
    expect(counted.sort()).toEqual([
      'POST /api/artifacts/{id}/push',
      'POST /api/base-models',
      'POST /api/datasets/upload',
      'POST /api/experiments/preflight',
      'POST /api/jobs',
      'POST /api/jobs/estimate',
      'POST /api/jobs/{id}/clone',
      'POST /api/jobs/{id}/resume',
      'POST /api/jobs/{id}/retry',
      'POST /api/jobs/{id}/start',
      'POST /api/training/submit',
      'POST /api/transfers',
      'POST /api/webhooks/{id}/deliveries/{delivery_id}/redeliver',
      'POST /api/webhooks/{id}/test',
    ]);
  });

  test('has 429 for every other change of a user who has changed enough, and a session’s own are counted apart', async () => {
    const statusesOf = documentedStatuses(api);
    const ask = (route: KnownRoute) =>
      api.request(route.template.replaceAll(/\{[^}]+\}/g, NO_ID), {
        method: route.method,
        headers: { ...anyone(route), 'content-encoding': 'gzip' },
      });
    const rest: KnownRoute[] = [];
    for (const route of routes.filter((one) => changes(one) && !isPublic(one))) {
      const answer = await ask(route);
      const limit = answer.headers.get('ratelimit-limit');
      if (limit === String(route.session_only ? EVERY_CHANGE_OF_THE_ACCOUNT : EVERY_CHANGE)) rest.push(route);
      // A password is judged by its verb, which counts once the body is read.
      else if (limit === null) expect(['POST /api/auth/change-password', 'DELETE /api/me']).toContain(nameOf(route));
      expect([nameOf(route), statusesOf(route.method, route.template)]).toEqual([nameOf(route), expect.arrayContaining([429])]);
    }
    expect(rest.length).toBeGreaterThan(20);
    for (const bucket of ['write', 'account']) {
      await noWaiting(db);
      await db.asOwner(
        `INSERT INTO lowrank.rate_limits (bucket, window_started_at, used) SELECT $1 || ':' || id, now(), 1000 FROM identity.users`,
        [bucket],
      );
      for (const route of rest) {
        const answer = await ask(route);
        const is_emptied = route.session_only === (bucket === 'account');
        expect([nameOf(route), answer.status === 429]).toEqual([nameOf(route), is_emptied]);
        if (!is_emptied) continue;
        expect([answer.headers.get('ratelimit-remaining'), Number(answer.headers.get('retry-after')) > 0]).toEqual(['0', true]);
      }
    }
  });

  test('has 429 for every read of a user who has read enough, and a stream is no read', async () => {
    const statusesOf = documentedStatuses(api);
    const reads = routes.filter((route) => !changes(route) && !isPublic(route) && !route.session_only);
    expect(reads.length).toBeGreaterThan(15);
    const isThumbnail = ({ template }: KnownRoute) => /\/(thumbnail|image)$/.test(template);
    const empty = (bucket: string, max: number) =>
      db.asOwner(
        `INSERT INTO lowrank.rate_limits (bucket, window_started_at, used)
         SELECT $1 || ':' || user_id, now(), $2 FROM identity.api_keys`,
        [bucket, max],
      );
    const ask = (route: KnownRoute) =>
      api.request(route.template.replaceAll(/\{[^}]+\}/g, NO_ID), { method: 'GET', headers: key });
    for (const route of reads) {
      const answer = await ask(route);
      const max = route.is_event_stream ? '3000' : isThumbnail(route) ? '6000' : '600';
      expect([nameOf(route), answer.headers.get('ratelimit-limit')]).toEqual([nameOf(route), max]);
    }
    await noWaiting(db);
    await empty('read', 600);
    await empty('thumbnail', 6000);
    for (const route of reads) {
      const answer = await ask(route);
      expect([nameOf(route), answer.status]).toEqual([nameOf(route), route.is_event_stream ? 404 : 429]);
      expect(statusesOf('GET', route.template)).toContain(429);
      if (route.is_event_stream) continue;
      expect([answer.headers.get('ratelimit-remaining'), Number(answer.headers.get('retry-after')) > 0]).toEqual(['0', true]);
    }
    await noWaiting(db);
    await empty('stream', 3000);
    for (const route of reads)
      expect([nameOf(route), (await ask(route)).status === 429]).toEqual([nameOf(route), route.is_event_stream]);
  });

  test('has what no handler ever sees, and one envelope for all that is refused', () => {
    const statusesOf = documentedStatuses(api);
    for (const route of routes)
      expect([nameOf(route), statusesOf(route.method, route.template)]).toEqual([
        nameOf(route),
        expect.arrayContaining([400, 405, 417, 421, 431, 500, 503]),
      ]);
    const document = openApiDocument(api, 'http://localhost');
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path)))
      for (const [status, { content }] of Object.entries(operation.responses))
        if (Number(status) >= 400)
          expect([operation.operationId, content]).toEqual([
            operation.operationId,
            { 'application/json': expect.objectContaining({ schema: { $ref: '#/components/schemas/Error' } }) },
          ]);
    expect(document.components.schemas).toHaveProperty('Error');
  });

  test('takes a body with nothing in it for none, where there need be none', async () => {
    const asked = routes.filter((route) => route.body === 'json' && !route.body_required);
    expect(asked.length).toBeGreaterThan(1);
    for (const route of asked) {
      const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
      const path = route.template.replaceAll(/\{[^}]+\}/g, NO_ID);
      const answer = await api.request(path, { method: route.method, headers: signed_in, body, duplex: 'half' } as RequestInit);
      expect([nameOf(route), [200, 404].includes(answer.status)]).toEqual([nameOf(route), true]);
    }
  });

  test('calls public what is public, and nothing else', () => {
    const { paths } = openApiDocument(api, 'http://localhost');
    const open = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { security }]) =>
        security?.length === 0 ? [`${method.toUpperCase()} ${path}`] : [],
      ),
    );
    expect(open.sort()).toEqual([...PUBLIC_ROUTES].sort());
  });
});
