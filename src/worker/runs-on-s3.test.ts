// Runs whose files lie on an S3 server: brought before the launch, stored before the job counts as done, whatever happens meanwhile.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CANCELLED_WITHIN_MS } from '#/domain/constants.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { s3Storage } from '#/storage/s3/s3-storage.ts';
import { SHARED_OWNER, type Storage, storageKey } from '#/storage/storage.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';
import { tinyModelFiles, writeFolder } from '../../test/model-folder.ts';
import { refuseAsS3, startS3, type TestS3 } from '../../test/s3-server.ts';
import { DIVISOR } from '../../test/worker-process.ts';
import { keptWithin, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();
const ROWS = '{"prompt":"a","completion":"b"}\n';
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

let s3: TestS3;
let folder: string;
/** Another process's view of the server, such as the web's. */
let storage: Storage;
beforeAll(async () => {
  s3 = await startS3();
  folder = mkdtempSync(join(tmpdir(), 'lowrank-runs-s3-'));
  storage = s3Storage(s3.options(), folder);
});
afterAll(async () => {
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a run on S3', () => {
  const scene = setScene(db, 'each test');
  let inputs: { dataset_id: string; base_model_id: string };
  beforeEach(async () => {
    s3.fault = null;
    s3.asked.length = 0;
    const { user_id } = scene.owner;
    const dataset_id = await addDataset(db, user_id, { format: 'prompt_completion', checksum: sha256(ROWS) });
    await storage.receive(
      user_id,
      dataset_id,
      'data',
      (async function* () {
        yield Buffer.from(ROWS);
      })(),
      1000,
    );
    const base_model_id = randomUUID();
    const files = tinyModelFiles();
    await storage.publishFolder(SHARED_OWNER, base_model_id, writeFolder(join(folder, randomUUID()), files));
    await addBaseModel(db, {
      id: base_model_id,
      local_path: null,
      hf_repo_id: 'acme/tiny',
      hf_revision: 'c'.repeat(40),
      storage_path: storageKey(SHARED_OWNER, base_model_id),
      metadata: { weights: [{ path: 'model.safetensors', bytes: Buffer.byteLength(files['model.safetensors'] as Buffer) }] },
    });
    inputs = { dataset_id, base_model_id };
  });
  // A server that hangs keeps no worker from ending.
  afterEach(() => (s3.fault = null));

  const add = () => scene.add([{ steps: 12 }], inputs);
  const isWeights = (request: IncomingMessage) =>
    request.method === 'PUT' && request.url?.includes('adapter_model.safetensors') === true;
  const artifactOf = async (job_id: string) => {
    const rows = await db.asOwner<{ id: string; files: { path: string; sha256: string; bytes: number }[] }>(
      'SELECT id, files FROM lowrank.model_artifacts WHERE job_id = $1',
      [job_id],
    );
    expect(rows).toHaveLength(1);
    return rows[0] as (typeof rows)[number];
  };
  /** The job's one artifact lies on the server, every byte of it. */
  const expectStored = async (job_id: string) => {
    const { id, files } = await artifactOf(job_id);
    expect(await storage.published(scene.owner.user_id, id)).toEqual(files);
    for (const file of files) {
      const { stream } = await storage.open(scene.owner.user_id, id, file.path);
      expect([file.path, sha256(await buffer(stream))]).toEqual([file.path, file.sha256]);
    }
  };
  const untilAsked = (what: (line: string) => boolean, times = 1) =>
    expect.poll(() => s3.asked.filter(what).length, { timeout: 60_000, interval: 10 }).toBeGreaterThanOrEqual(times);

  test('finds dataset and model brought to its host, and leaves its adapter on the server and no copy here', async () => {
    await scene.host.start(s3.variables);
    const id = await add();
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1 });
    await expectStored(id);
    const config = JSON.parse(readFileSync(scene.file(id, 'config.json'), 'utf8'));
    expect(config.dataset_path).toBe(join(scene.host.data_dir, 'runs', id, 'inputs', 'data'));
    expect(config.base_model.path).toBe(join(scene.host.data_dir, 'storage', SHARED_OWNER, inputs.base_model_id));
    expect(existsSync(config.dataset_path)).toBe(false);
    expect(existsSync(join(scene.host.data_dir, 'storage', scene.owner.user_id, inputs.dataset_id))).toBe(false);
    expect(readFileSync(scene.file(id, 'config.json'), 'utf8')).not.toContain(s3.url);
  });

  test.each<[string, () => void | Promise<void>, string]>([
    ['is gone', () => storage.remove(scene.owner.user_id, inputs.dataset_id), 'dataset_missing'],
    [
      'has changed',
      () =>
        writeFileSync(s3.pathOf('datasets_bucket', `${storageKey(scene.owner.user_id, inputs.dataset_id)}/data`), 'other rows'),
      'dataset_changed',
    ],
    ['lies beside a model that is gone', () => storage.remove(SHARED_OWNER, inputs.base_model_id), 'model_not_found'],
  ])('whose dataset %s fails by that name before its trainer starts', async (_, spoil, code) => {
    await spoil();
    await scene.host.start(s3.variables);
    const id = await add();
    expect(await scene.until(id)).toMatchObject({ status: 'failed', error_code: code, attempt: 1 });
    expect(existsSync(scene.file(id, 'started.json'))).toBe(false);
  });

  test('waits for a server that is away, before its launch and before its end, and loses nothing', async () => {
    s3.fault = (_, response) => refuseAsS3(response, 503, 'SlowDown');
    await scene.host.start(s3.variables);
    const id = await add();
    await untilAsked((line) => line.includes(inputs.dataset_id), 8);
    expect(await scene.job(id)).toMatchObject({ status: 'initializing', attempt: 1 });
    s3.fault = (request, response) => isWeights(request) && refuseAsS3(response, 503, 'SlowDown');
    await untilAsked((line) => line.includes('adapter_model.safetensors'), 8);
    expect(await scene.job(id)).toMatchObject({ status: 'running', current_stage: 'publishing', artifact_id: null });
    s3.fault = null;
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0 });
    await expectStored(id);
  });

  test('whose worker is killed in the middle of the upload is stored once by the next one', async () => {
    const worker = await scene.host.start(s3.variables);
    s3.fault = (request) => {
      if (!isWeights(request)) return false;
      worker.child.kill('SIGKILL');
      return true;
    };
    const id = await add();
    expect(await worker.gone).toBe('SIGKILL');
    s3.fault = null;
    expect(await scene.job(id)).toMatchObject({ status: 'running', artifact_id: null });
    expect(await db.asOwner('SELECT id FROM lowrank.model_artifacts WHERE job_id = $1', [id])).toEqual([]);
    await scene.host.start(s3.variables);
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0 });
    await expectStored(id);
    const { id: artifact } = await artifactOf(id);
    const keys = s3.keys('models_bucket').filter((key) => key.startsWith(scene.owner.user_id));
    expect(keys.every((key) => key.split('/')[1] === artifact)).toBe(true);
  });

  test.each<[string, (request: IncomingMessage) => boolean, (line: string) => boolean]>([
    ['dataset', (request) => request.method === 'GET', (line) => line.endsWith('/data')],
    ['adapter', isWeights, (line) => line.includes('adapter_model.safetensors')],
  ])('is cancelled in time while the server says nothing about its %s', async (_, isStuck, isAsked) => {
    s3.fault = (request) => isStuck(request);
    await scene.host.start(s3.variables);
    const id = await add();
    await untilAsked(isAsked);
    await keptWithin(CANCELLED_WITHIN_MS / DIVISOR, async () => {
      await cancelJob({ user_id: scene.owner.user_id, role: 'user' }, id);
      expect(await scene.until(id)).toMatchObject({ status: 'cancelled', artifact_id: null });
    });
  });
});
