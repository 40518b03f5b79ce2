import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addCaller, json, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';
import type { Api } from './api-env.ts';
import { openApiDocument } from './openapi.ts';

interface Operation {
  security?: unknown[];
  parameters?: { name: string }[];
  responses: Record<string, unknown>;
}

const db = useDatabase();
let api: Api;
let caller: Awaited<ReturnType<typeof addCaller>>;
let body: Record<string, unknown>;
beforeAll(async () => {
  api = makeApi();
  caller = await addCaller(db);
  body = {
    dataset_id: await addDataset(db, caller.user_id),
    base_model_id: await addBaseModel(db),
    preset_id: 'fast',
    hyperparameters: { epochs: 1 },
  };
});
beforeEach(() => noWaiting(db));

const submit = (request: unknown, headers: Record<string, string> = {}, app = api) =>
  app.request('/api/jobs', json(request, { ...caller.headers, ...headers }));

describe('Idempotency-Key', () => {
  test('gets the same bytes again, however the JSON is written and whatever became of the job', async () => {
    const first = await submit(body, { 'idempotency-key': 'one' });
    const told = await first.text();
    await db.asOwner(`UPDATE lowrank.training_jobs SET name = 'renamed since'`);
    const again = await submit(JSON.stringify(Object.fromEntries(Object.entries(body).reverse()), null, 2), {
      'idempotency-key': 'one',
    });
    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([201, null]);
    expect([again.status, again.headers.get('idempotent-replayed'), again.headers.get('content-type')]).toEqual([
      201,
      'true',
      'application/json',
    ]);
    expect(await again.text()).toBe(told);
  });

  test('gets the same bytes again once the job is deleted, and no second job', async () => {
    const headers = { ...caller.headers, 'idempotency-key': 'deleted' };
    const first = await submit(body, headers);
    const told = await first.text();
    const { id } = JSON.parse(told).data;
    await api.request(`/api/jobs/${id}/cancel`, json({}, caller.headers));
    expect((await api.request(`/api/jobs/${id}`, { method: 'DELETE', headers: caller.headers })).status).toBe(204);
    const count = async () => (await db.asOwner('SELECT FROM lowrank.training_jobs')).length;
    const before = await count();
    const again = await submit(body, headers);
    expect([again.status, again.headers.get('idempotent-replayed'), await again.text()]).toEqual([201, 'true', told]);
    expect((await submit({ ...body, name: 'other' }, headers)).status).toBe(409);
    expect((await submit({ ...body, dataset_id: id }, headers)).status).toBe(409);
    expect(await count()).toBe(before);
    // After a day it is a new request.
    await db.asOwner(`UPDATE lowrank.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'deleted'`);
    expect((await submit(body, headers)).headers.get('idempotent-replayed')).toBeNull();
    expect(await count()).toBe(before + 1);
  });

  test('finds the job again when the process ended between its commit and its answer', async () => {
    const first = await (await submit(body, { 'idempotency-key': 'lost' })).json();
    await db.asOwner(`UPDATE lowrank.idempotency_keys SET answer = NULL WHERE key = 'lost'`);
    const again = await submit(body, { 'idempotency-key': 'lost' });
    expect([again.status, again.headers.get('idempotent-replayed'), (await again.json()).data.id]).toEqual([
      201,
      'true',
      first.data.id,
    ]);
  });

  test('with another body is a conflict', async () => {
    await submit(body, { 'idempotency-key': 'two' });
    const other = await submit({ ...body, name: 'other' }, { 'idempotency-key': 'two' });
    expect([other.status, (await other.json()).code]).toEqual([409, 'idempotency_key_reused']);
  });

  test('while the first still runs is a conflict that says when to come again', async () => {
    const name = `${caller.user_id} POST /api/jobs busy`;
    await db.asOwner('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
    try {
      const answer = await submit(body, { 'idempotency-key': 'busy' });
      expect([answer.status, answer.headers.get('retry-after'), (await answer.json()).code]).toEqual([
        409,
        '1',
        'idempotency_in_progress',
      ]);
    } finally {
      await db.asOwner('SELECT pg_advisory_unlock_all()');
    }
  });

  test.each([
    ['with a space', 'a b'],
    ['that is not ASCII', 'ü'],
    ['of 256 characters', 'x'.repeat(256)],
  ])('%s is refused', async (_, key) => {
    expect(await (await submit(body, { 'idempotency-key': key })).json()).toMatchObject({
      violations: [{ path: 'Idempotency-Key' }],
    });
  });
});

test('every request that makes something of one’s own takes an Idempotency-Key', () => {
  const { paths } = openApiDocument(api, 'http://localhost') as { paths: Record<string, { post?: Operation }> };
  const making = Object.entries(paths).filter(
    ([, { post }]) => post?.responses['201'] !== undefined && post.security?.length !== 0,
  );
  expect(making.map(([path]) => path).sort()).toEqual([
    '/api/activity',
    '/api/artifacts/{id}/push',
    '/api/base-models',
    '/api/datasets/upload',
    '/api/gpu-catalog',
    '/api/invitations',
    '/api/jobs',
    '/api/jobs/{id}/clone',
    '/api/jobs/{id}/retry',
    '/api/keys',
    '/api/projects',
    '/api/recipes',
    '/api/training-images',
    '/api/transfers',
    '/api/webhooks',
    '/api/webhooks/{id}/test',
  ]);
  for (const [path, { post }] of making)
    expect([path, post?.parameters?.map((parameter) => parameter.name)]).toEqual([
      path,
      expect.arrayContaining(['Idempotency-Key']),
    ]);
});

describe('ten submissions a minute and user', () => {
  test('are counted in headers, the eleventh waits, and a restart forgets nothing', async () => {
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push(await submit({}));
    expect(answers.map((answer) => answer.status)).toEqual([...Array(10).fill(400), 429]);
    expect(answers[9]?.headers.get('ratelimit-limit')).toBe('10');
    expect(answers[9]?.headers.get('ratelimit-remaining')).toBe('0');
    expect(Number(answers[10]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await submit({}, {}, makeApi())).status).toBe(429);
    const other = await addCaller(db);
    expect((await api.request('/api/jobs', json({}, other.headers))).status).toBe(400);
  });
});
