// Pictures from their upload to what is trained from and shown, by the worker's own program.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import type { DatasetImage } from '#/contract/dataset-images.ts';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import type { Api } from '#/http/api-env.ts';
import { claimDatasetCheck, noteCheckProgress, releaseDatasetCheck } from '#/services/datasets/check-claim.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { s3Storage } from '#/storage/s3/s3-storage.ts';
import { addCaller, json, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { startS3, type TestS3 } from '../../test/s3-server.ts';
import { inspectNextDataset } from './inspect-dataset.ts';

/** Photographs of two things, which are not ours to ship: see CONTRIBUTING.md. */
const PHOTOGRAPHS = process.env.DREAMBOOTH_FOLDER ?? join(import.meta.dirname, '../../../shared/data/dreambooth');

const db = useDatabase();
let folder: string;
let s3: TestS3;
let api: Api;
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;

beforeAll(async () => {
  if (!existsSync(PHOTOGRAPHS))
    throw new Error(
      `The photographs of this test are not at ${PHOTOGRAPHS}: put some there, or name a folder in DREAMBOOTH_FOLDER`,
    );
  folder = mkdtempSync(join(tmpdir(), 'lowrank-images-'));
  s3 = await startS3();
  api = makeApi();
});
afterAll(async () => {
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users CASCADE');
  connectStorage(localFolder(join(folder, 'storage')));
  owner = await addCaller(db);
  stranger = await addCaller(db);
  await noWaiting(db);
});

const photograph = (of: 'teapot' | 'vase', at: number) => readFileSync(join(PHOTOGRAPHS, of, `0${at}.jpg`));
const call = (path: string, init: RequestInit = {}, who = owner) =>
  api.request(`/api/datasets${path}`, { ...init, headers: { ...who.headers, ...(init.headers as Record<string, string>) } });
const dataset = async (id: string) => (await (await call(`/${id}`)).json()) as Dataset;
const stored = (id: string) => readdirSync(join(folder, 'storage', owner.user_id, id)).sort();

async function zipOf(files: Record<string, Buffer | string>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, data] of Object.entries(files)) zip.addBuffer(Buffer.from(data), name, { mtime: new Date(0) });
  zip.end();
  return buffer(zip.outputStream);
}
async function uploadZip(files: Record<string, Buffer | string>): Promise<DatasetUploaded> {
  const body = new Uint8Array(await zipOf(files));
  const answer = await call('/upload', { method: 'POST', headers: { 'content-type': 'application/zip' }, body });
  expect(answer.status).toBe(201);
  return (await answer.json()) as DatasetUploaded;
}

test('photographs that come as single files are checked, written anew, listed and shown to their owner alone', async () => {
  const form = new FormData();
  for (let at = 0; at < 6; at++) form.append('file', new File([photograph('vase', at)], `10_sks vase/0${at}.jpg`));
  form.append('file', new File(['a vase, once'], '10_sks vase/00.txt'));
  form.append('file', new File([photograph('teapot', 0)], 'reg/1_vase/00.jpg'));
  form.append('name', 'Vases');
  const answer = await call('/upload', { method: 'POST', body: form });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as DatasetUploaded;
  expect(await dataset(id)).toMatchObject({
    modality: 'image',
    status: 'validating',
    file_name: '10_sks vase.zip',
    name: 'Vases',
  });
  expect(await inspectNextDataset()).toBe(true);

  const ready = await dataset(id);
  expect(ready).toMatchObject({
    status: 'ready',
    training_ready: true,
    format: 'images',
    num_samples: 7,
    total_training_pairs: 60,
    check_progress: null,
    validation_errors: [],
    statistics: {
      images: 6,
      class_images: 1,
      captions: { with: 6, different: 2 },
      buckets: { '512': [{ width: 512, samples: 60 }] },
    },
  });
  // What was uploaded is gone, with whatever stood in it.
  const archive = `images-${ready.checksum}.zip`;
  expect(stored(id)).toEqual([archive, `thumbnails-${ready.checksum}.bin`]);
  const bytes = readFileSync(join(folder, 'storage', owner.user_id, id, archive));
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(ready.checksum);
  expect(await db.asOwner('SELECT message FROM lowrank.notifications')).toEqual([{ message: 'Vases: 7 pictures' }]);

  const list = async (query: string) =>
    (await (await call(`/${id}/images${query}`)).json()) as { images: DatasetImage[]; total: number; next_after: number | null };
  const first = await list('?limit=5');
  expect([first.images.map(({ n }) => n), first.total, first.next_after]).toEqual([[1, 2, 3, 4, 5], 7, 5]);
  expect(first.images[0]).toMatchObject({ file: '10_sks vase/00.jpg', caption: 'a vase, once', repeats: 10, is_class: false });
  const rest = await list('?limit=5&after=5');
  expect([rest.images.map(({ n }) => n), rest.next_after, rest.images[1]?.is_class]).toEqual([[6, 7], null, true]);

  const thumbnail = (init: RequestInit = {}, n = 1, who = owner) => call(`/${id}/images/${n}/thumbnail`, init, who);
  const shown = await thumbnail();
  const etag = shown.headers.get('etag') ?? '';
  expect(Object.fromEntries(shown.headers)).toMatchObject({
    'content-type': 'image/webp',
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
  });
  const picture = Buffer.from(await shown.arrayBuffer());
  expect([picture.subarray(0, 4).toString(), picture.subarray(8, 12).toString()]).toEqual(['RIFF', 'WEBP']);
  expect((await thumbnail({ headers: { 'if-none-match': etag } })).status).toBe(304);
  expect([(await thumbnail({}, 2)).headers.get('etag') === etag, (await thumbnail({ method: 'HEAD' })).status]).toEqual([
    false,
    200,
  ]);
  expect([(await thumbnail({}, 8)).status, (await thumbnail({}, 0)).status]).toEqual([404, 400]);
  for (const path of [`/${id}`, `/${id}/images`, `/${id}/images/1/thumbnail`])
    expect((await call(path, {}, stranger)).status).toBe(404);

  const changed = await call(`/${id}`, json({ metadata: { class_prompt: 'a vase' } }, {}, 'PATCH'));
  expect(await changed.json()).toMatchObject({ status: 'ready', metadata: { class_prompt: 'a vase' } });
  expect((await call(`/${id}`, json({ invalid_rows: 'skip' }, {}, 'PATCH'))).status).toBe(409);
  expect((await call(`/${id}`, json({ mapping: { text: 'x' } }, {}, 'PATCH'))).status).toBe(409);
  expect((await call(`/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await thumbnail()).status).toBe(404);
  expect((await call(`/${id}/restore`, { method: 'POST' })).status).toBe(200);
  expect((await thumbnail()).status).toBe(200);
});

test('a file that is no picture refuses the dataset by its name, and is left out where that is wished', async () => {
  const files = { 'a.jpg': photograph('vase', 0), 'b.jpg': '<!doctype html>', 'c.heic': 'x', '.DS_Store': 'x' };
  const { id, duplicate_of } = await uploadZip(files);
  expect(duplicate_of).toBeNull();
  await inspectNextDataset();
  const refused = await dataset(id);
  expect([refused.status, refused.training_ready]).toEqual(['error', false]);
  expect(refused.validation_errors.map(({ file, code }) => [file, code])).toEqual([
    [undefined, 'rows_rejected'],
    ['b.jpg', 'not_an_image'],
    ['c.heic', 'unsupported_format'],
  ]);
  expect(stored(id)).toEqual(['data']);
  expect((await call(`/${id}`, json({ invalid_rows: 'skip' }, {}, 'PATCH'))).status).toBe(200);
  await inspectNextDataset();
  expect(await dataset(id)).toMatchObject({ status: 'ready', total_training_pairs: 1, num_samples: 3 });
  // The same upload is known again, although another file is kept of it.
  expect((await uploadZip(files)).duplicate_of).toMatchObject({ id });
});

test('archives that hold no pictures, or are none, are told as that and leave what was uploaded', async () => {
  for (const [files, code] of [
    [{ 'rows.jsonl': '{"text":"x"}' }, 'empty_dataset'],
    [{}, 'empty_dataset'],
  ] as const) {
    const { id } = await uploadZip(files);
    await inspectNextDataset();
    expect(await dataset(id)).toMatchObject({ modality: 'image', status: 'error', validation_errors: [{ code }] });
    expect((await (await call(`/${id}/images`)).json()).total).toBe(0);
  }
});

test('how far a check is, is told while it goes on', async () => {
  const { id } = await uploadZip({ 'a.jpg': photograph('vase', 0) });
  const claim = await claimDatasetCheck();
  if (claim === null) throw new Error('nothing was claimed');
  expect((await dataset(id)).check_progress).toBeNull();
  await noteCheckProgress(claim.dataset, { done: 3, of: 8 });
  expect((await dataset(id)).check_progress).toEqual({ done: 3, of: 8 });
  await releaseDatasetCheck(claim.dataset);
  expect(await inspectNextDataset(AbortSignal.abort())).toBe(true);
  expect(await dataset(id)).toMatchObject({ status: 'validating' });
  expect(readdirSync(join(folder, 'storage/.staging'))).toEqual([]);
});

test('what is written anew counts against the quota, and what does not fit is not kept', async () => {
  const { id, file_size } = await uploadZip({ 'a.jpg': photograph('vase', 0) });
  await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', $1)`, [String(file_size / 1e9)]);
  try {
    await inspectNextDataset();
    expect(await dataset(id)).toMatchObject({ status: 'error', file_size, validation_errors: [{ code: 'quota_exceeded' }] });
    expect(stored(id)).toEqual(['data']);
  } finally {
    await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'user_quota_gb'`);
  }
});

test('on an S3 server it is the same, and of the copy that was checked nothing stays', async () => {
  const root = join(folder, 's3');
  connectStorage(s3Storage(s3.options(), root));
  const { id } = await uploadZip({ 'a.jpg': photograph('vase', 0), 'b.jpg': photograph('vase', 1) });
  await inspectNextDataset();
  const { status, checksum } = await dataset(id);
  expect(status).toBe('ready');
  const keys = s3.keys('datasets_bucket').filter((key) => key.includes(id));
  expect(keys.sort()).toEqual(
    [`images-${checksum}.zip`, `thumbnails-${checksum}.bin`].map((name) => `${owner.user_id}/${id}/${name}`),
  );
  expect((await call(`/${id}/images/2/thumbnail`)).status).toBe(200);
  const path = await storage().fileOnDisk(owner.user_id, id, `images-${checksum}.zip`, checksum ?? '', join(root, 'run'));
  expect(readFileSync(path).subarray(0, 60).toString('latin1')).toContain('manifest.jsonl');
  expect(readdirSync(join(root, '.staging'))).toEqual([]);
});
