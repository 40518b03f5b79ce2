import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { getDataset } from '#/services/datasets/get-dataset.ts';
import { listDatasets } from '#/services/datasets/list-datasets.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import { cancelTransfer } from '#/services/transfers/cancel-transfer.ts';
import { createTransfer, type TransferWish } from '#/services/transfers/create-transfer.ts';
import { finishImport, importClaims } from '#/services/transfers/import-claim.ts';
import { getTransfer } from '#/services/transfers/list-transfers.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../test/database.ts';
import { addDataset, addPerson } from '../../test/factories.ts';
import { partBytes, startHub, type TestHub } from '../../test/hub.ts';
import { makeHost } from '../../test/worker-process.ts';
import { importNextDataset } from './import-dataset.ts';
import { inspectNextDataset } from './inspect-dataset.ts';

const db = useDatabase();
const REPO = 'acme/rows';
let folder: string;
let hub: TestHub;
let user: Context;

const pair = (at: number) => JSON.stringify({ prompt: `question ${at}`, completion: 'yes' });
const rows = (count: number, from = 0) => `${Array.from({ length: count }, (_, at) => pair(from + at)).join('\n')}\n`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-imports-'));
  connectStorage(localFolder(join(folder, 'storage')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users CASCADE');
  user = { user_id: await addPerson(db), role: 'user' };
  hub = await startHub({ [`datasets/${REPO}`]: { 'README.md': '# Rows', 'train.jsonl': rows(40), 'test.jsonl': rows(3) } });
  env.HF_ENDPOINT = hub.url;
});
afterEach(() => hub.close());

const ask = async (options: Partial<TransferWish & { kind: 'dataset' }> = {}) =>
  (await createTransfer(user, { kind: 'dataset', hf_repo_id: REPO, revision: 'main', ...options })).transfer.id;
/** A card with one configuration of one split, so called. */
const name = (config_name: string, split: string) =>
  (hub.cards[`datasets/${REPO}`] = { configs: [{ config_name, data_files: [{ split, path: 'train.jsonl' }] }] });
const look = (id: string) => getTransfer(user, id);
const notices = () =>
  db.asOwner<{ type: string; message: string }>('SELECT type, message FROM lowrank.notifications ORDER BY created_at');
const staged = () => readdirSync(join(folder, 'storage/.staging')).filter((name) => name.startsWith('transfer-'));
const stored = (id: string) => join(folder, 'storage', user.user_id, id);
const usedBytes = async () => (await asUser(user.user_id, (tx) => storageUsage(tx, user.user_id))).bytes;
const expire = (id: string) =>
  db.asOwner(`UPDATE lowrank.transfers SET lease_until = now() - interval '1 s' WHERE id = $1`, [id]);

describe('a dataset of the Hub', () => {
  test('becomes a dataset of the caller’s at a pinned commit, and gets the check that every upload gets', async () => {
    const id = await ask({ name: 'Questions', revision: 'v1' });
    expect(await importNextDataset()).toBe(true);
    expect(await look(id)).toMatchObject({
      status: 'completed',
      hf_revision: hub.commit,
      dataset_id: id,
      bytes_done: rows(40).length,
      bytes_total: rows(40).length,
      files: 1,
      lease_until: null,
    });
    expect(await getDataset(user, id)).toMatchObject({
      name: 'Questions',
      status: 'validating',
      file_name: 'train.jsonl',
      file_size: rows(40).length,
      metadata: {
        source: 'huggingface',
        hf_repo_id: REPO,
        hf_requested_revision: 'v1',
        hf_revision: hub.commit,
        hf_split: 'train',
        hf_files: ['train.jsonl'],
      },
    });
    expect(await inspectNextDataset()).toBe(true);
    expect(await getDataset(user, id)).toMatchObject({ status: 'ready', training_ready: true, num_samples: 40 });
    expect((await notices()).map((notice) => notice.type)).toEqual(['transfer_completed', 'dataset_ready']);
    expect(staged()).toEqual([]);
    expect(await importNextDataset()).toBe(false);
    const stranger: Context = { user_id: await addPerson(db), role: 'user' };
    await expect(getDataset(stranger, id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('is told in the feed once, with its rows counted, when its first check ends', async () => {
    hub.repos[`datasets/${REPO}`] = { 'train.jsonl': rows(40) };
    const id = await ask({ name: 'Questions' });
    const told = () =>
      db.asOwner<{ status: string; metadata: unknown }>(
        `SELECT status, metadata FROM lowrank.activities WHERE entity_id = $1 AND event_type = 'dataset_imported'`,
        [id],
      );
    await importNextDataset();
    expect(await told()).toEqual([]);
    await inspectNextDataset();
    const imported = {
      status: 'ready',
      metadata: {
        dataset_id: id,
        dataset_name: 'Questions',
        hf_repo_id: REPO,
        size_bytes: rows(40).length,
        num_samples: 40,
        source: 'system',
      },
    };
    expect(await told()).toEqual([imported]);
    await db.asOwner(`UPDATE lowrank.datasets SET status = 'validating' WHERE id = $1`, [id]);
    expect(await inspectNextDataset()).toBe(true);
    expect(await told()).toEqual([imported]);
    const uploaded = await addDataset(db, user.user_id, { status: 'validating' });
    expect(await inspectNextDataset()).toBe(true);
    expect(await db.asOwner('SELECT 1 FROM lowrank.activities WHERE entity_id = $1', [uploaded])).toEqual([]);
  });

  test('is taken by configuration, split or file, in several files, and as a table', async () => {
    hub.repos[`datasets/${REPO}`] = {
      'a/1.jsonl': rows(2),
      'a/2.jsonl': rows(3, 2).trimEnd(),
      'b.csv': 'question,answer\n2+2,4\n',
      'x.json': `[${pair(1)},${pair(2)}]`,
    };
    hub.cards[`datasets/${REPO}`] = {
      configs: [
        { config_name: 'a', data_files: [{ split: 'held', path: 'a/*' }] },
        { config_name: 'b', data_files: 'b.csv' },
      ],
    };
    const a = await ask({ config: 'a', split: 'held' });
    const b = await ask({ config: 'b', mapping: { prompt: 'question', completion: 'answer' }, invalid_rows: 'skip' });
    const x = await ask({ file: 'x.json' });
    while (await importNextDataset());
    while (await inspectNextDataset());
    expect(await getDataset(user, a)).toMatchObject({ status: 'ready', num_samples: 5, file_name: 'rows.jsonl' });
    expect(await getDataset(user, b)).toMatchObject({
      status: 'ready',
      num_samples: 1,
      invalid_rows: 'skip',
      file_name: 'b.csv',
    });
    expect(await getDataset(user, x)).toMatchObject({ status: 'ready', num_samples: 2 });
  });

  test('comes from Parquet as it is mostly stored, with its types', async () => {
    const write = `
import sys, pyarrow, pyarrow.parquet
turns = [[{"role": "user", "content": f"{n} + 1?"}, {"role": "assistant", "content": str(n + 1)}] for n in range(30)]
pyarrow.parquet.write_table(pyarrow.table({"messages": turns, "n": range(30)}), sys.stdout.buffer)`;
    const parquet = execFileSync(env.python, ['-c', write]);
    hub.repos[`datasets/${REPO}`] = { 'data/train-00000-of-00001.parquet': parquet, 'data/test-00000-of-00001.parquet': parquet };
    const id = await ask({});
    while (await importNextDataset());
    while (await inspectNextDataset());
    expect(await look(id)).toMatchObject({ status: 'completed', bytes_total: parquet.length, files: 1 });
    expect(await getDataset(user, id)).toMatchObject({ status: 'ready', num_samples: 30, format: 'chat' });
  });

  test.each<[string, string, () => void, Partial<TransferWish & { kind: 'dataset' }>]>([
    ['is gated', 'gated_dataset', () => hub.gated.push(`datasets/${REPO}`), {}],
    ['does not exist', 'dataset_not_found', () => delete hub.repos[`datasets/${REPO}`], {}],
    ['has no such revision', 'dataset_not_found', () => undefined, { revision: 'nowhere' }],
    ['has no such split', 'split_not_found', () => undefined, { split: 'dev' }],
    ['is in Arrow alone', 'unsupported_format', () => (hub.repos[`datasets/${REPO}`] = { 'train.arrow': 'x' }), {}],
    ['is broken Parquet', 'invalid_parquet', () => (hub.repos[`datasets/${REPO}`] = { 'train.parquet': 'PAR1' }), {}],
    ['is a script', 'remote_code_not_allowed', () => (hub.repos[`datasets/${REPO}`] = { 'rows.py': 'x' }), {}],
    ['is empty', 'data_files_missing', () => (hub.repos[`datasets/${REPO}`] = { 'rows.json': '' }), {}],
    ['has a configuration with a long name', 'invalid_name', () => name('c'.repeat(301), 'train'), {}],
    ['has a configuration with NUL in its name', 'invalid_name', () => name('a\u0000b', 'train'), {}],
    ['has a split with half a character in its name', 'invalid_name', () => name('main', '\ud800'), {}],
    [
      'has NUL in a name that is told',
      'data_files_missing',
      () => (hub.repos[`datasets/${REPO}`] = { 'a\u0000.jsonl': 'x' }),
      { file: 'b.jsonl' },
    ],
  ])('that %s fails as %s, with nothing kept', async (_, code, spoil, options) => {
    spoil();
    const id = await ask(options);
    expect(await importNextDataset()).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'failed', error_code: code, dataset_id: null });
    expect(await notices()).toEqual([{ type: 'transfer_failed', message: expect.stringContaining(REPO) }]);
    expect(await listDatasets(user, { limit: 1, offset: 0 })).toMatchObject({ total: 0 });
    expect([staged(), existsSync(stored(id)), await usedBytes()]).toEqual([[], false, 0]);
  });

  test('whose fetch ends well and tells no listing that can be read fails for good, and is not given back', async () => {
    const program = join(folder, 'python');
    const done = `echo '{"type":"listing","config":"${'c'.repeat(301)}"}'; echo '{"type":"done","files":["data"]}'`;
    writeFileSync(program, `#!/bin/sh\n${done}\n`, { mode: 0o755 });
    const { python } = env;
    env.python = program;
    try {
      const id = await ask();
      expect(await importNextDataset()).toBe(true);
      expect(await look(id)).toMatchObject({ status: 'failed', error_code: 'internal', attempts: 1 });
      expect(await importNextDataset()).toBe(false);
    } finally {
      env.python = python;
    }
  });

  test('that is gated comes with a token of its own, which is then forgotten; a wrong one is told', async () => {
    const gate = `datasets/${REPO}`;
    hub.gated.push(gate);
    hub.tokens = ['hf_right'];
    const right = await ask({ token: 'hf_right' });
    const wrong = await ask({ token: 'hf_wrong' });
    while (await importNextDataset());
    expect(await look(right)).toMatchObject({ status: 'completed', token: null });
    expect(await look(wrong)).toMatchObject({ status: 'failed', error_code: 'gated_dataset', token: null });
    expect(new Set(hub.asked.map(({ token }) => token))).toEqual(new Set(['hf_right', 'hf_wrong']));
  });

  test('whose token is of another key fails with the way out', async () => {
    const id = await ask({ token: 'hf_right' });
    const other = await ask({ token: 'hf_other' });
    await db.asOwner('UPDATE lowrank.transfers a SET token = b.token FROM lowrank.transfers b WHERE a.id = $1 AND b.id = $2', [
      id,
      other,
    ]);
    await importNextDataset();
    expect(await look(id)).toMatchObject({ status: 'failed', error_message: expect.stringContaining('with the token') });
    expect(hub.asked).toEqual([]);
  });

  test('is reserved in the quota before its rows are fetched, and refused when it does not fit', async () => {
    await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', '0.000001')`);
    const id = await ask();
    await importNextDataset();
    await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'user_quota_gb'`);
    expect(await look(id)).toMatchObject({ status: 'failed', error_code: 'too_large', bytes_total: null });
    expect(await usedBytes()).toBe(0);
  });

  test('that breaks off in the middle goes on there, and waits when the Hub asks for it', async () => {
    hub.repos[`datasets/${REPO}`] = { 'train.jsonl': rows(20_000) };
    hub.cut_after = 300_000;
    hub.busy = [{ status: 429, retry_after: 1 }];
    const id = await ask();
    await importNextDataset();
    expect((await look(id)).status).toBe('completed');
    expect(hub.asked.filter(({ path }) => path.startsWith('/cdn/')).map(({ range }) => range)).toEqual([
      null,
      expect.stringMatching(/^bytes=[1-9]\d+-$/),
    ]);
    expect(readFileSync(join(stored(id), 'data'), 'utf8')).toBe(rows(20_000));
  });
});

describe('an import under way', () => {
  const stallAt = async (bytes: number, signal?: AbortSignal) => {
    hub.repos[`datasets/${REPO}`] = { 'train.jsonl': rows(20_000) };
    hub.stall_after = bytes;
    const stalled = hub.stalled();
    const over = importNextDataset(signal);
    await stalled;
    return { over };
  };

  test('tells how far it is, counts in the quota, and ends within seconds of its cancellation with nothing kept', async () => {
    const id = await ask();
    const { over } = await stallAt(200_000);
    await expect.poll(async () => (await look(id)).bytes_done, { timeout: 10_000 }).toBeGreaterThan(0);
    const total = rows(20_000).length;
    expect(await look(id)).toMatchObject({ status: 'running', hf_revision: hub.commit, bytes_total: total, files: 1 });
    expect(await usedBytes()).toBe(total);
    await cancelTransfer(user, id);
    expect(await over).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'cancelled', dataset_id: null });
    expect([staged(), existsSync(stored(id)), await usedBytes()]).toEqual([[], false, 0]);
    expect(await importNextDataset()).toBe(false);
  });

  test('that its worker leaves goes on where it was, at its commit, though the branch has moved', async () => {
    const id = await ask();
    const stopping = new AbortController();
    const { over } = await stallAt(200_000, stopping.signal);
    await expect.poll(() => partBytes(join(folder, `storage/.staging/transfer-${id}`))).toBeGreaterThan(0);
    stopping.abort();
    expect(await over).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'running', lease_until: null, attempts: 0 });
    hub.stall_after = null;
    hub.revisions = { main: 'f'.repeat(40), v1: hub.commit };
    hub.asked = [];
    expect(await importNextDataset()).toBe(true);
    expect(hub.asked[0]?.path).toBe(`/api/datasets/${REPO}/revision/${hub.commit}`);
    expect(hub.asked.at(-1)?.range).toMatch(/^bytes=[1-9]\d+-$/);
    expect(await look(id)).toMatchObject({ status: 'completed', hf_revision: hub.commit });
    expect(readFileSync(join(stored(id), 'data'), 'utf8')).toBe(rows(20_000));
  });

  test('goes on where it was after its worker was killed outright, and its download with it', async () => {
    const host = await makeHost(db);
    connectStorage(localFolder(join(host.data_dir, 'storage')));
    try {
      hub.repos[`datasets/${REPO}`] = { 'train.jsonl': rows(20_000) };
      hub.stall_after = 200_000;
      const stalled = hub.stalled();
      const killed = await host.start({ HF_ENDPOINT: hub.url });
      const id = await ask();
      await stalled;
      const part = () => partBytes(join(host.data_dir, `storage/.staging/transfer-${id}`));
      await expect.poll(part, { timeout: 10_000 }).toBeGreaterThan(0);
      const left = hub.left();
      process.kill(killed.pid, 'SIGKILL');
      await left;
      const bytes = part();
      hub.stall_after = null;
      hub.asked = [];
      await expire(id);
      await host.start({ HF_ENDPOINT: hub.url });
      await expect.poll(async () => (await look(id)).status, { timeout: 30_000 }).toBe('completed');
      expect(hub.asked.at(-1)?.range).toBe(`bytes=${bytes}-`);
      expect(readFileSync(join(host.data_dir, 'storage', user.user_id, id, 'data'), 'utf8')).toBe(rows(20_000));
    } finally {
      connectStorage(localFolder(join(folder, 'storage')));
      await host.end();
    }
  }, 90_000);

  test('is one worker’s; a silent one is succeeded, and writes nothing when it comes back', async () => {
    const id = await ask();
    const claims = await Promise.all(Array.from({ length: 6 }, () => importClaims.claim()));
    const [silent] = claims.filter((claim) => claim !== null);
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    await expire(id);
    expect(await importNextDataset()).toBe(true);
    const pinned = { hf_revision: hub.commit, bytes_total: 1, files: 1 };
    const file = { bytes: 1, sha256: 'a'.repeat(64) };
    const chosen = { config: null, split: null, paths: [] };
    await expect(finishImport(silent!, pinned, file, chosen)).rejects.toMatchObject({ code: 'fenced' });
    await expect(importClaims.renew(silent!, null)).rejects.toMatchObject({ code: 'fenced' });
    expect(await getDataset(user, id)).toMatchObject({ file_size: rows(40).length });
    expect(await notices()).toHaveLength(1);
  });

  test('that was killed between storing and recording is recorded by the next', async () => {
    const id = await ask();
    await importClaims.claim();
    const half = async function* () {
      yield Buffer.from('half');
    };
    await storage().receive(user.user_id, id, 'data', half(), 10);
    await expire(id);
    await importNextDataset();
    expect(await look(id)).toMatchObject({ status: 'completed', dataset_id: id });
    expect(readFileSync(join(stored(id), 'data'), 'utf8')).toBe(rows(40));
  });

  test('that ends its worker every time is given up on, with a word', async () => {
    const id = await ask();
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect((await importClaims.claim())?.attempts).toBe(attempt);
      await expire(id);
    }
    expect(await importClaims.claim()).toBeNull();
    expect(await look(id)).toMatchObject({ status: 'failed', error_code: 'internal' });
  });

  test('ends with its user', async () => {
    await ask();
    const { over } = await stallAt(200_000);
    await db.asOwner('DELETE FROM identity.users WHERE id = $1', [user.user_id]);
    expect(await over).toBe(true);
    expect(staged()).toEqual([]);
  });
});
