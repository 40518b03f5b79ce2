// What workers fetch, import and check when files lie on an S3 server, and what of it is collected.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { UploadOptions } from '#/domain/dataset-options.ts';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { getDataset } from '#/services/datasets/get-dataset.ts';
import { uploadDataset } from '#/services/datasets/upload-dataset.ts';
import { getModel } from '#/services/models/list-models.ts';
import { modelFolder } from '#/services/models/model-folder.ts';
import { registerHubModel } from '#/services/models/register-hub-model.ts';
import { collectGarbage } from '#/services/storage/collect-garbage.ts';
import { createTransfer } from '#/services/transfers/create-transfer.ts';
import { getTransfer } from '#/services/transfers/list-transfers.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { s3Storage } from '#/storage/s3/s3-storage.ts';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';
import { startHub, type TestHub } from '../../test/hub.ts';
import { tinyModelFiles } from '../../test/model-folder.ts';
import { refuseAsS3, startS3, type TestS3 } from '../../test/s3-server.ts';
import { fetchNextModel } from './fetch-model.ts';
import { importNextDataset } from './import-dataset.ts';
import { inspectNextDataset } from './inspect-dataset.ts';

const db = useDatabase();
const REPO = 'acme/rows';
const MODEL = 'acme/tiny';
const ROWS = `${Array.from({ length: 40 }, (_, at) => JSON.stringify({ prompt: `question ${at}`, completion: 'yes' })).join('\n')}\n`;
const endpoint = env.HF_ENDPOINT;

let s3: TestS3;
let hub: TestHub;
let folder: string;
let root: string;
let user: Context;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-files-s3-'));
  s3 = await startS3();
});
afterAll(async () => {
  env.HF_ENDPOINT = endpoint;
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  user = { user_id: await addPerson(db), role: 'user' };
  hub = await startHub({ [`datasets/${REPO}`]: { 'train.jsonl': ROWS }, [MODEL]: tinyModelFiles() });
  env.HF_ENDPOINT = hub.url;
  s3.fault = null;
  root = join(folder, randomUUID());
  connectStorage(s3Storage(s3.options(), root));
});
afterEach(() => hub.close());

const staged = () => (existsSync(join(root, '.staging')) ? readdirSync(join(root, '.staging')) : []);
const away = () => {
  s3.fault = (_, response) => refuseAsS3(response, 503, 'SlowDown');
};
async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(ROWS);
}
async function* planted(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"prompt":"planted","completion":"x"}\n');
}
const upload = async () =>
  (await uploadDataset(user, { options: UploadOptions.parse({}), content: bytes(), declared_bytes: ROWS.length })).dataset.id;

test('a model of the Hub goes to the server and is brought to any other host; a server that is away costs it no try', async () => {
  const { model } = await registerHubModel(user, { hf_repo_id: MODEL, revision: 'main' });
  s3.fault = (request, response) => request.method === 'PUT' && refuseAsS3(response, 503, 'SlowDown');
  await expect(fetchNextModel()).rejects.toMatchObject({ code: 'storage_unavailable' });
  s3.fault = null;
  expect(await getModel(user, model.id)).toMatchObject({ status: 'fetching', lease_until: null, attempts: 0 });
  const asked = hub.asked.filter(({ path }) => path.startsWith('/cdn/')).length;
  expect(await fetchNextModel()).toBe(true);
  expect(hub.asked.filter(({ path }) => path.startsWith('/cdn/'))).toHaveLength(asked);
  expect(await getModel(user, model.id)).toMatchObject({ status: 'ready', storage_path: `shared/${model.id}` });
  expect(s3.keys('models_bucket')).toEqual(expect.arrayContaining([`shared/${model.id}/model.safetensors`]));
  expect(staged()).toEqual([]);
  connectStorage(s3Storage(s3.options(), join(folder, randomUUID())));
  const { path } = await modelFolder(model.id);
  const weights = tinyModelFiles()['model.safetensors'] as Buffer;
  expect(readFileSync(join(path, 'model.safetensors')).equals(weights)).toBe(true);
});

test('a dataset of the Hub goes to the server, and a server that is away costs it no try', async () => {
  const { transfer } = await createTransfer(user, { kind: 'dataset', hf_repo_id: REPO, revision: 'main' });
  away();
  await expect(importNextDataset()).rejects.toMatchObject({ code: 'storage_unavailable' });
  s3.fault = null;
  expect(await getTransfer(user, transfer.id)).toMatchObject({ lease_until: null, attempts: 0 });
  expect(await importNextDataset()).toBe(true);
  expect(await getTransfer(user, transfer.id)).toMatchObject({ status: 'completed', dataset_id: transfer.id });
  const key = `${user.user_id}/${transfer.id}/data`;
  expect(readFileSync(s3.pathOf('datasets_bucket', key), 'utf8')).toBe(ROWS);
  expect(staged()).toEqual([]);
});

test('a dataset is checked on a copy of which nothing stays, and a server that is away costs it no try', async () => {
  const id = await upload();
  away();
  await expect(inspectNextDataset()).rejects.toMatchObject({ code: 'storage_unavailable' });
  s3.fault = null;
  expect(await getDataset(user, id)).toMatchObject({ status: 'validating', lease_until: null, attempts: 0 });
  expect(await inspectNextDataset()).toBe(true);
  const checksum = createHash('sha256').update(ROWS).digest('hex');
  expect(await getDataset(user, id)).toMatchObject({ status: 'ready', num_samples: 40, checksum });
  expect(staged()).toEqual([]);
});

test.each<[string, (id: string) => Promise<unknown>, string]>([
  ['is gone', async () => undefined, 'file_missing'],
  ['has changed', (id) => storage().receive(user.user_id, id, 'data', planted(), 1000), 'checksum_mismatch'],
])('a dataset whose file %s is told as that', async (_, put, code) => {
  const id = await upload();
  await storage().remove(user.user_id, id);
  await put(id);
  expect(await inspectNextDataset()).toBe(true);
  expect(await getDataset(user, id)).toMatchObject({ status: 'error', validation_errors: [{ code }] });
  expect(staged()).toEqual([]);
});

test('what no row names is collected after a day, on the server and among the copies here, and nothing else', async () => {
  const kept = await upload();
  const [old, young] = [randomUUID(), randomUUID()];
  for (const id of [old, young]) await storage().receive(user.user_id, id, 'data', bytes(), 1e6);
  const copied = randomUUID();
  const from = await storage().stagingFolder('made');
  await storage().publishStaged('shared', copied, from);
  const then = new Date(Date.now() - 25 * 3_600_000);
  utimesSync(s3.pathOf('datasets_bucket', `${user.user_id}/${old}/data`), then, then);
  utimesSync(s3.pathOf('models_bucket', `shared/${copied}/.manifest.json`), then, then);
  utimesSync(join(root, 'shared', copied), then, then);
  expect(await collectGarbage()).toMatchObject({ unnamed: 2, strange: false });
  const left: string[] = [];
  for await (const { owner, resource_id } of storage().resources()) if (owner === user.user_id) left.push(resource_id);
  expect(left.sort()).toEqual([kept, young].sort());
  expect(existsSync(join(root, 'shared', copied))).toBe(false);
});
