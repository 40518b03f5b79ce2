import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { GB } from '#/domain/bytes.ts';
import { UploadOptions } from '#/domain/dataset-options.ts';
import { env } from '#/env.ts';
import { deleteDataset } from '#/services/datasets/delete-dataset.ts';
import { restoreDataset } from '#/services/datasets/restore-dataset.ts';
import { uploadDataset } from '#/services/datasets/upload-dataset.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../../test/database.ts';
import { addDataset, addPerson } from '../../../test/factories.ts';
import { checkDisk, storageUsage } from './reserve-space.ts';

const db = useDatabase();
const KB = 1000;
const QUOTA_KB = 100;
let folder: string;
let user_id: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-quota-'));
  connectStorage(localFolder(join(folder, 'storage')));
  await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', $1)`, [
    JSON.stringify((QUOTA_KB * KB) / GB),
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  user_id = await addPerson(db);
});

async function* bytes(count: number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0; left -= KB) yield Buffer.alloc(Math.min(KB, left), 'x');
}
const upload = (count: number, declared: number | null = count) =>
  uploadDataset({ user_id, role: 'user' }, { options: UploadOptions.parse({}), content: bytes(count), declared_bytes: declared });
const usage = () => asUser(user_id, (tx) => storageUsage(tx, user_id));
const codes = async (work: Promise<unknown>[]) =>
  (await Promise.allSettled(work)).map((one) => (one.status === 'fulfilled' ? 'stored' : (one.reason as { code: string }).code));

test('uploads at once never take more than the quota together', async () => {
  const answers = await codes(Array.from({ length: 8 }, () => upload(30 * KB)));
  expect(answers.filter((answer) => answer === 'stored')).toHaveLength(3);
  expect(answers.filter((answer) => answer === 'quota_exceeded')).toHaveLength(5);
  expect(await usage()).toMatchObject({ bytes: 90 * KB, bytes_with_deleted: 90 * KB });
});

test('an upload that does not say its length is stopped where the quota ends, and gives its reservation back', async () => {
  expect(await codes([upload(150 * KB, null)])).toEqual(['quota_exceeded']);
  expect((await usage()).bytes).toBe(0);
  expect(await codes([upload(60 * KB, null)])).toEqual(['stored']);
  expect((await usage()).bytes).toBe(60 * KB);
});

test('what was deleted gives room, but not without end', async () => {
  for (let round = 0; round < 2; round++) {
    const { dataset } = await upload(90 * KB);
    await deleteDataset({ user_id, role: 'user' }, dataset.id);
  }
  expect(await usage()).toMatchObject({ bytes: 0, bytes_with_deleted: 180 * KB });
  expect(await codes([upload(90 * KB)])).toEqual(['quota_exceeded']);
  expect(await codes([upload(10 * KB)])).toEqual(['stored']);
});

test('restores at once never go past the quota together', async () => {
  const kept = [];
  for (let at = 0; at < 2; at++) {
    const { dataset } = await upload(60 * KB);
    await deleteDataset({ user_id, role: 'user' }, dataset.id);
    kept.push(dataset.id);
  }
  const answers = await codes(kept.map((id) => restoreDataset({ user_id, role: 'user' }, id)));
  expect(answers.toSorted()).toEqual(['quota_exceeded', 'stored']);
  expect((await usage()).bytes).toBe(60 * KB);
});

test('one user’s files take nothing of another’s', async () => {
  await addDataset(db, await addPerson(db), { file_size: 1000 * KB });
  expect(await codes([upload(90 * KB)])).toEqual(['stored']);
});

test('an upload that would leave too little of the disk is refused', async () => {
  const reserve = env.LOWRANK_DISK_RESERVE_GB;
  env.LOWRANK_DISK_RESERVE_GB = 1e9;
  try {
    await expect(checkDisk(0)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await codes([upload(KB)])).toEqual(['storage_full']);
  } finally {
    env.LOWRANK_DISK_RESERVE_GB = reserve;
  }
});
