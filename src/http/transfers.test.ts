import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transfer } from '#/contract/transfers.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
let folder: string;
let user: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-transfers-'));
  connectStorage(localFolder(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  await noWaiting(db);
  user = await addCaller(db);
  stranger = await addCaller(db);
});

const ask = (body: unknown, headers: Record<string, string> = user.headers) => api.post('/api/transfers', body, headers);
const make = async (body: unknown, headers: Record<string, string> = user.headers) => {
  const answer = await ask(body, headers);
  expect(answer.status).toBe(201);
  return (await answer.json()) as Transfer;
};
const look = (id: string, headers = user.headers) => api.request(`/api/transfers/${id}`, { headers });
const cancel = (id: string, headers = user.headers) => api.request(`/api/transfers/${id}/cancel`, { method: 'POST', headers });
const list = async (query = '', headers = user.headers) =>
  (await (await api.request(`/api/transfers?${query}`, { headers })).json()) as {
    transfers: Transfer[];
    total: number;
    next_cursor: string | null;
  };
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const MODEL = { kind: 'model', hf_repo_id: 'acme/tiny' };

describe('a transfer', () => {
  test('waits for a worker with what was asked for, and is its owner’s alone', async () => {
    const transfer = await make({ ...MODEL, revision: 'v1', name: 'Mine' });
    expect(transfer).toMatchObject({
      kind: 'model',
      direction: 'import',
      name: 'Mine',
      hf_repo_id: 'acme/tiny',
      revision: 'v1',
      commit: null,
      status: 'pending',
      bytes_done: 0,
      bytes_total: null,
      eta_seconds: null,
      error: null,
      base_model_id: expect.any(String),
      dataset_id: null,
      started_at: null,
    });
    expect(await (await look(transfer.id)).json()).toEqual(transfer);
    expect((await look(transfer.id, stranger.headers)).status).toBe(404);
    expect((await cancel(transfer.id, stranger.headers)).status).toBe(404);
    expect(await list('', stranger.headers)).toMatchObject({ transfers: [], total: 0 });
    expect((await list()).transfers).toEqual([transfer]);
  });

  test('of a dataset keeps what was chosen of it, and each wish is one of its own', async () => {
    const wish = { kind: 'dataset', hf_repo_id: 'acme/rows', config: 'main', split: 'test', mapping: { prompt: 'question' } };
    const transfer = await make(wish);
    expect(transfer).toMatchObject({
      kind: 'dataset',
      config: 'main',
      split: 'test',
      file: null,
      dataset_id: null,
      base_model_id: null,
    });
    expect((await make(wish)).id).not.toBe(transfer.id);
    expect((await make({ kind: 'dataset', hf_repo_id: 'acme/rows', file: 'data/*.jsonl' })).file).toBe('data/*.jsonl');
    expect(await list('kind=dataset')).toMatchObject({ total: 3 });
  });

  test('seals its token, and answers nothing of it', async () => {
    const token = 'hf_canaryCanary1234';
    const wishes = [
      { kind: 'dataset', hf_repo_id: 'acme/rows', token },
      { ...MODEL, token },
    ];
    for (const wish of wishes) expect(JSON.stringify(await make(wish))).not.toContain('canary');
    expect(JSON.stringify(await list())).not.toMatch(/canary|"token"/);
    const rows = await db.asOwner<{ token: string }>('SELECT token FROM lowrank.transfers');
    for (const row of rows) expect(row.token).toMatch(/^v1\.[0-9a-f]{8}\./);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain('canary');
    const refused = await ask({ ...MODEL, token: 'hf canary' });
    expect([refused.status, await refused.text()]).toEqual([400, expect.not.stringContaining('canary')]);
  });

  test('tells its speed and when it is done while it runs', async () => {
    const { id } = await make(MODEL);
    await db.asOwner(
      `UPDATE lowrank.transfers SET status = 'running', bytes_done = 400, bytes_total = 1000, bytes_per_second = 50, files = 3,
        hf_revision = $1`,
      ['c'.repeat(40)],
    );
    expect(await (await look(id)).json()).toMatchObject({
      status: 'running',
      commit: 'c'.repeat(40),
      bytes_done: 400,
      bytes_total: 1000,
      bytes_per_second: 50,
      eta_seconds: 12,
      files: 3,
      started_at: expect.any(String),
    });
  });

  test('of a model that the caller waits for already is that one, and one under its key', async () => {
    const transfer = await make(MODEL);
    const again = await ask(MODEL);
    expect([again.status, ((await again.json()) as Transfer).id]).toEqual([200, transfer.id]);
    const keyed = { ...user.headers, 'idempotency-key': 'once' };
    const other = await make({ kind: 'model', hf_repo_id: 'acme/other' }, keyed);
    const replayed = await ask({ kind: 'model', hf_repo_id: 'acme/other' }, keyed);
    expect([replayed.status, replayed.headers.get('idempotent-replayed'), await replayed.json()]).toEqual([201, 'true', other]);
    expect(await codeOf(await ask(MODEL, keyed))).toBe('idempotency_key_reused');
    expect((await make(MODEL, stranger.headers)).base_model_id).toBe(transfer.base_model_id);
    const found = { ...user.headers, 'idempotency-key': 'found' };
    expect([(await ask(MODEL, found)).status, (await ask(MODEL, found)).status]).toEqual([200, 200]);
  });

  test('comes with the registration of a model by its Hub id', async () => {
    const model = (await (await api.post('/api/base-models', { hf_repo_id: 'acme/tiny' }, user.headers)).json()) as {
      id: string;
    };
    expect((await list()).transfers).toMatchObject([{ kind: 'model', status: 'pending', base_model_id: model.id }]);
  });

  test('is cancelled at once and answered again; one that is over is not', async () => {
    const { id } = await make(MODEL);
    const cancelled = await cancel(id);
    expect(cancelled.status).toBe(200);
    const body = await cancelled.json();
    expect(body).toMatchObject({ status: 'cancelled', completed_at: expect.any(String) });
    expect(await (await cancel(id)).json()).toEqual(body);
    const { id: other } = await make({ kind: 'model', hf_repo_id: 'acme/other' });
    await db.asOwner(
      `UPDATE lowrank.transfers SET status = 'failed', error_code = 'gated_model', error_message = 'ask' WHERE id = $1`,
      [other],
    );
    const late = await cancel(other);
    expect([late.status, await codeOf(late)]).toEqual([409, 'transfer_already_final']);
    expect(await (await look(other)).json()).toMatchObject({ error: { code: 'gated_model', message: 'ask' } });
  });

  test.each<[unknown, string]>([
    [{ kind: 'space', hf_repo_id: 'a/b' }, 'kind'],
    [{ hf_repo_id: 'a/b' }, 'kind'],
    [{ kind: 'model' }, 'hf_repo_id'],
    [{ kind: 'model', hf_repo_id: '../b' }, 'hf_repo_id'],
    [{ kind: 'model', hf_repo_id: 'https://huggingface.co/a/b' }, 'hf_repo_id'],
    [{ kind: 'model', hf_repo_id: 'a/b', revision: '../main' }, 'revision'],
    [{ kind: 'model', hf_repo_id: 'a/b', split: 'train' }, 'split'],
    [{ kind: 'model', hf_repo_id: 'a/b', trust_remote_code: true }, 'trust_remote_code'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', split: '--x' }, 'split'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', config: '' }, 'config'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', file: '../../etc/passwd' }, 'file'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', file: '/etc/passwd' }, 'file'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', file: '*a*a*a*a*a' }, 'file'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', mapping: { x: 'y' } }, 'mapping.x'],
    [{ kind: 'dataset', hf_repo_id: 'a/b', format: 'csv' }, 'format'],
  ])('of %j is refused by name', async (body, path) => {
    const answer = await ask(body);
    expect(answer.status).toBe(400);
    const { details } = (await answer.json()) as { details: { path: string }[] };
    expect(details.map((row) => row.path)).toContain(path);
    expect((await list()).total).toBe(0);
  });

  test('is not begun where the disk or the quota is full', async () => {
    const full = { ...localFolder(folder), freeBytes: async () => 0 };
    connectStorage(full);
    const answer = await ask(MODEL);
    connectStorage(localFolder(folder));
    expect([answer.status, await codeOf(answer)]).toEqual([507, 'storage_full']);
    await db.asOwner(
      `INSERT INTO lowrank.datasets (user_id, name, file_name, status, file_size) VALUES ($1, 'x', 'x', 'uploading', 60000000000)`,
      [user.user_id],
    );
    for (const wish of [MODEL, { kind: 'dataset', hf_repo_id: 'acme/rows' }]) {
      const over = await ask(wish);
      expect([over.status, await codeOf(over)]).toEqual([413, 'quota_exceeded']);
    }
    expect((await list()).total).toBe(0);
  });
});

describe('the list of transfers', () => {
  test('is filtered, and turned page by page by offset and by cursor', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await make({ kind: 'model', hf_repo_id: `acme/${name}` });
    const all = (await list()).transfers.map((transfer) => transfer.hf_repo_id);
    expect(all).toEqual(['acme/e', 'acme/d', 'acme/c', 'acme/b', 'acme/a']);
    const first = await list('limit=2');
    expect(first).toMatchObject({ total: 5, limit: 2, offset: 0, next_cursor: first.transfers[1]?.id });
    const second = await list(`limit=2&after=${first.next_cursor}`);
    const third = await list(`limit=2&after=${second.next_cursor}`);
    expect([...first.transfers, ...second.transfers, ...third.transfers].map((transfer) => transfer.hf_repo_id)).toEqual(all);
    expect(third.next_cursor).toBeNull();
    expect((await list('limit=2&offset=4')).transfers.map((transfer) => transfer.hf_repo_id)).toEqual(['acme/a']);
    await cancel(first.transfers[0]!.id);
    expect(await list('status=cancelled')).toMatchObject({ total: 1, transfers: [{ hf_repo_id: 'acme/e' }] });
    expect(await list('kind=dataset')).toMatchObject({ total: 0 });
  });

  test('takes no cursor of somebody else’s', async () => {
    const { id } = await make(MODEL, stranger.headers);
    const answer = await api.request(`/api/transfers?after=${id}`, { headers: user.headers });
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'invalid_request']);
  });

  test('refuses what it does not know', async () => {
    for (const query of ['status=done', 'kind=space', 'limit=501', 'after=1', 'page=1'])
      expect([query, (await api.request(`/api/transfers?${query}`, { headers: user.headers })).status]).toEqual([query, 400]);
  });
});
