// The upload of a dataset over HTTP, whatever keeps its file.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DatasetUploaded } from '#/contract/datasets.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { s3Storage } from '#/storage/s3/s3-storage.ts';
import { addCaller, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { refuseAsS3, startS3 } from '../../test/s3-server.ts';
import { STORAGES, type TestStorage } from '../../test/storages.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const ROWS = '{"prompt":"2+2?","completion":"4"}\n{"prompt":"3+3?","completion":"6"}\n';
/** More than S3 takes at once. */
const LARGE = `${JSON.stringify({ prompt: 'p', completion: 'c'.repeat(1000) })}\n`.repeat(12_000);

describe.each(STORAGES)('on %s', (_, make) => {
  let folder: string;
  let stored: TestStorage;
  let api: Api;
  let owner: Awaited<ReturnType<typeof addCaller>>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lowrank-uploads-'));
    stored = await make(folder);
    connectStorage(stored.storage);
    api = makeApi();
  });
  afterAll(async () => {
    await stored.end();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await noWaiting(db);
    owner = await addCaller(db);
  });

  const upload = (body: BodyInit, headers: Record<string, string> = {}) =>
    api.request('/api/datasets/upload?file_name=rows.jsonl', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...owner.headers, ...headers },
      body,
      duplex: 'half',
    } as RequestInit);
  const content = async (id: string) => text((await stored.storage.open(owner.user_id, id, 'data')).stream);
  const rowsLeft = () =>
    db.asOwner('SELECT status, deleted_at IS NOT NULL AS deleted FROM lowrank.datasets WHERE user_id = $1', [owner.user_id]);

  test.each([
    ['small', ROWS],
    ['large', LARGE],
  ])('a %s file is kept byte for byte, raw and as a form', async (_, rows) => {
    const form = new FormData();
    form.append('file', new File([rows], 'rows.jsonl'));
    const answers = [
      await upload(rows),
      await api.request('/api/datasets/upload', { method: 'POST', headers: owner.headers, body: form }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(201);
      const dataset = (await answer.json()) as DatasetUploaded;
      expect(dataset).toMatchObject({
        status: 'validating',
        size_bytes: rows.length,
        checksum: createHash('sha256').update(rows).digest('hex'),
        storage_path: `${owner.user_id}/${dataset.id}`,
      });
      expect((await content(dataset.id)) === rows).toBe(true);
    }
  });

  test('the same file under the same key is kept once', async () => {
    const answers = [await upload(ROWS, { 'idempotency-key': 'one' }), await upload(ROWS, { 'idempotency-key': 'one' })];
    const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as DatasetUploaded).id));
    expect(ids[0]).toBe(ids[1]);
    expect(await stored.has(owner.user_id)).toEqual([ids[0]]);
  });

  test('of one that breaks off nothing stays', async () => {
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(LARGE));
        controller.error(new Error('gone'));
      },
    });
    await Promise.resolve(upload(broken)).catch(() => null);
    expect(await stored.has(owner.user_id)).toEqual([]);
    expect(await rowsLeft()).toEqual([{ status: 'error', deleted: true }]);
    expect(stored.s3?.unfinished() ?? 0).toBe(0);
  });
});

test('a storage that is away takes none, says when to come again, and keeps no reservation', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lowrank-uploads-'));
  const s3 = await startS3();
  connectStorage(s3Storage(s3.options(), folder));
  try {
    const owner = await addCaller(db);
    const api = makeApi();
    const upload = () =>
      api.request('/api/datasets/upload', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', ...owner.headers },
        body: LARGE,
      });
    s3.fault = (_, response) => refuseAsS3(response, 503, 'SlowDown');
    const answer = await upload();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await answer.json()).toMatchObject({ code: 'storage_unavailable', request_id: expect.any(String) });
    const rows = 'SELECT status, deleted_at IS NOT NULL AS deleted FROM lowrank.datasets WHERE user_id = $1';
    expect(await db.asOwner(rows, [owner.user_id])).toEqual([{ status: 'error', deleted: true }]);
    s3.fault = null;
    expect((await upload()).status).toBe(201);
  } finally {
    await s3.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
