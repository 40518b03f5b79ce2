import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UploadOptions } from '#/domain/dataset-options.ts';
import { uploadDataset } from '#/services/datasets/upload-dataset.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { collectGarbage } from './collect-garbage.ts';

const db = useDatabase();
const NOTHING = { uploads: 0, deleted: 0, rows: 0, unnamed: 0, staged: 0, strange: false };
let folder: string;
let user_id: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-garbage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  rmSync(join(folder, 'storage'), { recursive: true, force: true });
  connectStorage(localFolder(join(folder, 'storage')));
  user_id = await addPerson(db);
});

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{}\n');
}
const upload = async () =>
  (await uploadDataset({ user_id, role: 'user' }, { options: UploadOptions.parse({}), content: bytes(), declared_bytes: 3 }))
    .dataset.id;
const store = async (owner = user_id, id: string = randomUUID()) => {
  await storage().receive(owner, id, 'data', bytes(), 10);
  return id;
};
const age = (path: string, hours: number) => {
  const then = new Date(Date.now() - hours * 3_600_000);
  utimesSync(join(folder, 'storage', path), then, then);
};
const left = (owner = user_id) => readdirSync(join(folder, 'storage', owner)).sort();
const rowsLeft = async () => (await db.asOwner<{ id: string }>('SELECT id FROM lowrank.datasets')).map((row) => row.id).sort();
const deletedDaysAgo = (id: string, days: number) =>
  db.asOwner(`UPDATE lowrank.datasets SET deleted_at = now() - make_interval(days => $2) WHERE id = $1`, [id, days]);

test('what is in use stays', async () => {
  const id = await upload();
  await deletedDaysAgo(await upload(), 29);
  expect(await collectGarbage()).toEqual(NOTHING);
  expect(left()).toHaveLength(2);
  expect(left()).toContain(id);
});

test('what was deleted a month ago goes, its row too when no job names it', async () => {
  const kept = await upload();
  const gone = await upload();
  const named = await upload();
  await addJob(db, user_id, { dataset_id: named, status: 'cancelled' });
  for (const id of [gone, named]) await deletedDaysAgo(id, 31);
  expect(await collectGarbage()).toEqual({ ...NOTHING, deleted: 2, rows: 1 });
  expect(left()).toEqual([kept]);
  expect(await rowsLeft()).toEqual([kept, named].sort());
  expect(await collectGarbage()).toEqual(NOTHING);
});

test('an upload whose process ended goes with its reservation, a living one stays', async () => {
  const insert = (id: string, lease: string) =>
    db.asOwner(
      `INSERT INTO lowrank.datasets (id, user_id, name, file_name, status, file_size, lease_until) VALUES ($1, $2, 'x', 'x', 'uploading', 5, now() + $3::interval)`,
      [id, user_id, lease],
    );
  const dead = await store();
  await insert(dead, '-1 s');
  await insert(await store(), '1 min');
  expect(await collectGarbage()).toEqual({ ...NOTHING, uploads: 1 });
  expect(left()).toHaveLength(1);
  expect(await db.asOwner('SELECT status, purged_at IS NOT NULL AS purged FROM lowrank.datasets WHERE id = $1', [dead])).toEqual([
    { status: 'error', purged: true },
  ]);
});

test('files without a row go after a day, younger ones may still get theirs', async () => {
  await upload();
  const young = await store();
  const stranger = randomUUID();
  const old = [await store(), await store(stranger), await store('shared')];
  for (const [at, owner] of [user_id, stranger, 'shared'].entries()) age(`${owner}/${old[at]}`, 25);
  expect(await collectGarbage()).toEqual({ ...NOTHING, unnamed: 3 });
  expect(left()).toContain(young);
  expect([left(stranger), left('shared')]).toEqual([[], []]);
});

test('a crash between the mark and the files is made up by the next round', async () => {
  await upload();
  const id = await upload();
  await db.asOwner('UPDATE lowrank.datasets SET deleted_at = now(), purged_at = now() WHERE id = $1', [id]);
  age(`${user_id}/${id}`, 25);
  expect(await collectGarbage()).toEqual({ ...NOTHING, unnamed: 1 });
  expect(left()).not.toContain(id);
});

test('a database that knows none of the files removes none of them', async () => {
  const id = await store();
  age(`${user_id}/${id}`, 1000);
  expect(await collectGarbage()).toEqual({ ...NOTHING, strange: true });
  expect(left()).toEqual([id]);
});

test('a fetched model that was deleted goes, one registered in place loses its row alone', async () => {
  const id = await store('shared');
  await db.asOwner(
    `INSERT INTO lowrank.base_models (id, name, status, hf_repo_id, storage_path, deleted_at) VALUES ($1, 'x', 'ready', 'a/b', 'x', now() - interval '31 days')`,
    [id],
  );
  await db.asOwner(
    `INSERT INTO lowrank.base_models (name, status, local_path, deleted_at) VALUES ('y', 'ready', '/nowhere', now() - interval '31 days')`,
  );
  expect(await collectGarbage()).toEqual({ ...NOTHING, deleted: 1, rows: 2 });
  expect(left('shared')).toEqual([]);
});
