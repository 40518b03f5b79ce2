import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BaseModel } from '#/contract/base-models.ts';
import { env } from '#/env.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel } from '../../test/factories.ts';
import { tinyModelFiles, writeFolder } from '../../test/model-folder.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
let api: Api;
let folder: string;
let admin: Awaited<ReturnType<typeof addCaller>>;
let user: Awaited<ReturnType<typeof addCaller>>;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lowrank-model-routes-')));
  connectStorage(localFolder(join(folder, 'storage')));
  env.LOWRANK_MODEL_FOLDERS = [folder];
  api = makeApi();
  admin = await addCaller(db, { role: 'administrator' });
  user = await addCaller(db);
});
beforeEach(() => noWaiting(db));
afterAll(() => {
  env.LOWRANK_MODEL_FOLDERS = [];
  rmSync(folder, { recursive: true, force: true });
});

const register = (body: unknown, headers: Record<string, string> = admin.headers) =>
  api.request('/api/base-models', json(body, headers));
const list = async (query: string) =>
  (await (await api.request(`/api/base-models?${query}`, { headers: user.headers })).json()) as {
    models: BaseModel[];
    total: number;
  };

test('a folder is registered, answered again, and read by everybody without a word of where it lies', async () => {
  const path = writeFolder(join(folder, 'secret-place'), tinyModelFiles());
  const answer = await register({ path, name: 'Tiny' });
  expect(answer.status).toBe(201);
  const model = (await answer.json()) as BaseModel;
  expect(model).toMatchObject({
    name: 'Tiny',
    status: 'ready',
    trainable: true,
    params: 820,
    storage_path: null,
    tokenizer_path: null,
    in_place: true,
    created_by_me: true,
  });
  const again = await register({ path });
  expect([again.status, ((await again.json()) as BaseModel).id]).toEqual([200, model.id]);
  const seen = await api.request(`/api/base-models/${model.id}`, { headers: user.headers });
  expect(await seen.json()).toEqual({ ...model, created_by_me: false });
  expect(JSON.stringify(await list('search=tin'))).not.toContain('secret-place');
  expect((await list('trainable=true&q=TIN&family=llama&modality=text&stage=production')).total).toBe(1);
  expect((await list('trainable=false')).total).toBe(0);
});

test('a Hub model waits for its fetch; the same request again is the same model', async () => {
  const headers = { ...user.headers, 'idempotency-key': 'once' };
  const first = await register({ hf_repo_id: 'a/b' }, headers);
  expect(first.status).toBe(201);
  const model = (await first.json()) as BaseModel;
  expect(model).toMatchObject({
    status: 'fetching',
    hf_repo_id: 'a/b',
    hf_requested_revision: 'main',
    hf_revision: null,
    in_place: false,
    fetched: null,
  });
  const again = await register({ hf_repo_id: 'a/b' }, headers);
  expect([again.status, again.headers.get('idempotent-replayed'), await again.json()]).toEqual([201, 'true', model]);
  expect((await register({ hf_repo_id: 'a/c' }, headers)).status).toBe(409);
  expect((await register({ hf_repo_id: 'a/b' }, user.headers)).status).toBe(200);
  const found = () => register({ hf_repo_id: 'a/b' }, { ...user.headers, 'idempotency-key': 'found' });
  expect([(await found()).status, (await found()).status]).toEqual([200, 200]);
  await db.asOwner('UPDATE lowrank.idempotency_keys SET answer = NULL');
  expect([(await found()).status, (await register({ hf_repo_id: 'a/b' }, headers)).status]).toEqual([200, 201]);
  await db.asOwner('UPDATE lowrank.transfers SET bytes_done = 5, bytes_total = 10 WHERE base_model_id = $1', [model.id]);
  const fetched = { bytes: 5, bytes_total: 10 };
  expect((await list('search=a/b')).models[0]).toMatchObject({ fetched, metadata: {} });
  const look = async (headers: Record<string, string>) => (await api.request(`/api/base-models/${model.id}`, { headers })).json();
  expect(await look(user.headers)).toMatchObject({ fetched });
  // Whoever did not ask for it is not told.
  expect(await look(admin.headers)).toMatchObject({ status: 'fetching', fetched: null });
  const other = await addCaller(db);
  expect((await api.request(`/api/base-models/${model.id}`, { method: 'DELETE', headers: other.headers })).status).toBe(403);
  expect((await api.request(`/api/base-models/${model.id}`, { method: 'DELETE', headers: user.headers })).status).toBe(204);
  expect((await api.request(`/api/base-models/${model.id}`, { headers: user.headers })).status).toBe(404);
  const gone = await register({ hf_repo_id: 'a/b' }, headers);
  expect([gone.status, gone.headers.get('idempotent-replayed'), await gone.json()]).toEqual([
    201,
    'true',
    expect.objectContaining({ id: model.id }),
  ]);
  expect((await found()).status).toBe(200);
  expect(await db.asOwner(`SELECT id FROM lowrank.base_models WHERE hf_repo_id = 'a/b'`)).toEqual([{ id: model.id }]);
});

test.each<[unknown, string]>([
  [{ hf_repo_id: 'a/b', path: '/x' }, 'path'],
  [{ hf_repo_id: 'https://huggingface.co/a/b' }, 'hf_repo_id'],
  [{ hf_repo_id: 'a/b@main' }, 'hf_repo_id'],
  [{ hf_repo_id: 'a/b', revision: '../x' }, 'revision'],
  [{ hf_repo_id: 'a/b', trust_remote_code: true }, 'trust_remote_code'],
  [{ hf_repo_id: ['a/b'] }, 'hf_repo_id'],
  [{ path: '/etc' }, 'path'],
  [{ path: 'models/x' }, 'path'],
])('%j is refused by name', async (body, path) => {
  const answer = await register(body);
  expect(answer.status).toBe(400);
  const { details } = (await answer.json()) as { details: { path: string }[] };
  expect(details.map((row) => row.path)).toContain(path);
});

test('a folder is for administrators', async () => {
  expect((await register({ path: folder }, user.headers)).status).toBe(403);
});

const change = (id: string, body: unknown, headers: Record<string, string>) =>
  api.request(`/api/base-models/${id}`, json(body, headers, 'PATCH'));

test('what is said about a model is changed by its importer and by administrators, and by nobody else', async () => {
  const id = await addBaseModel(db, {
    created_by: user.user_id,
    metadata: { weights: [] },
    storage_path: 'shared/x',
    local_path: null,
  });
  const other = await addCaller(db);
  const before = (await (await api.request(`/api/base-models/${id}`, { headers: other.headers })).json()) as BaseModel;
  expect((await change(id, { name: 'theirs' }, other.headers)).status).toBe(403);
  const mine = await change(
    id,
    { name: 'Mine', stage: 'staging', tags: ['small'], model_card: '# Card', metadata: { licence: 'mit', gone: 1 } },
    user.headers,
  );
  expect(await mine.json()).toEqual({
    ...before,
    created_by_me: true,
    name: 'Mine',
    stage: 'staging',
    tags: ['small'],
    model_card: '# Card',
    metadata: { weights: [], licence: 'mit', gone: 1 },
    updated_at: expect.any(String),
  });
  const theirs = await change(id, { description: 'kept', model_card: null, metadata: { gone: null } }, admin.headers);
  expect(await theirs.json()).toMatchObject({
    name: 'Mine',
    description: 'kept',
    model_card: null,
    metadata: { weights: [], licence: 'mit' },
  });
  expect((await list('stage=staging&q=kept')).models.map((model) => model.id)).toEqual([id]);
  expect((await change(id, {}, user.headers)).status).toBe(200);
  expect((await api.request(`/api/base-models/${id}`, { method: 'DELETE', headers: other.headers })).status).toBe(403);
  expect((await api.request(`/api/base-models/${id}`, { method: 'DELETE', headers: admin.headers })).status).toBe(204);
  expect((await change(id, { name: 'x' }, user.headers)).status).toBe(404);
});

test.each<[unknown, string[]]>([
  [{ params: 5, trainable: true }, ['params', 'trainable']],
  [{ metadata: { weights: [] } }, ['metadata.weights']],
  [{ stage: 'live', tags: 'x' }, ['stage', 'tags']],
  [{ storage_path: '/etc' }, ['storage_path']],
])('%j is not what a model can be told', async (body, paths) => {
  const id = await addBaseModel(db, { created_by: user.user_id });
  const answer = await change(id, body, user.headers);
  const { details } = (await answer.json()) as { details: { path: string }[] };
  expect([answer.status, details.map((row) => row.path).sort()]).toEqual([400, paths]);
});

test('pages behind a cursor have every model once', async () => {
  const ids = [];
  for (const name of ['paged 1', 'paged 2', 'paged 3']) ids.push(await addBaseModel(db, { name }));
  const first = await list('q=paged&limit=2');
  const second = await list(`q=paged&limit=2&after=${(first as unknown as { next_cursor: string }).next_cursor}`);
  expect([...first.models, ...second.models].map((model) => model.id)).toEqual(ids.reverse());
  expect(second.total).toBe(3);
});

test('one person registers twenty models a minute, right or wrong, and nobody else waits for it', async () => {
  const ask = (headers: Record<string, string>) => register({ hf_repo: 'no repository' }, headers);
  for (let i = 0; i < 20; i++) expect((await ask(user.headers)).status).toBe(400);
  const refused = await ask(user.headers);
  expect([refused.status, (await refused.json()).code]).toEqual([429, 'rate_limited']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await ask(admin.headers)).status).toBe(400);
});
