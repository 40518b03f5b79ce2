import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';
import type { Api } from './api-env.ts';
import { drain, listen, serve } from './web-server.ts';

const db = useDatabase();
const ROWS = '{"prompt":"2+2?","completion":"4"}\n{"prompt":"3+3?","completion":"6"}\n';
const NO_ID = '00000000-0000-4000-8000-000000000000';

let api: Api;
let folder: string;
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-datasets-'));
  connectStorage(localFolder(join(folder, 'storage')));
  api = makeApi();
  owner = await addCaller(db);
  stranger = await addCaller(db);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => noWaiting(db));

const upload = (query: string, body: BodyInit = ROWS, headers: Record<string, string> = {}) =>
  api.request(`/api/datasets/upload${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...owner.headers, ...headers },
    body,
    duplex: 'half',
  } as RequestInit);
const form = (parts: Record<string, string | File>, headers: Record<string, string> = {}) => {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) body.append(name, part);
  return api.request('/api/datasets/upload', { method: 'POST', headers: { ...owner.headers, ...headers }, body });
};
const stored = async (query = '?file_name=rows.jsonl') => (await (await upload(query)).json()) as DatasetUploaded;
const files = () => {
  const root = join(folder, 'storage');
  return existsSync(join(root, owner.user_id)) ? readdirSync(join(root, owner.user_id)) : [];
};
const staged = () => readdirSync(join(folder, 'storage/.staging'));
const violations = async (answer: Response) =>
  ((await answer.json()) as { details: { path: string; code: string }[] }).details.map((row) => `${row.path} ${row.code}`);
const rowsOf = (name: string) =>
  db.asOwner<{ status: string; deleted: boolean }>(
    'SELECT status, deleted_at IS NOT NULL AS deleted FROM lowrank.datasets WHERE file_name = $1',
    [name],
  );

describe('an upload', () => {
  test('as a raw body is stored whole with its sum and waits for its check', async () => {
    const answer = await upload('?file_name=sums.jsonl&mapping=prompt%3Dprompt&invalid_rows=skip&name=Sums');
    expect(answer.status).toBe(201);
    const dataset = (await answer.json()) as DatasetUploaded;
    expect(dataset).toMatchObject({
      name: 'Sums',
      status: 'validating',
      file_name: 'sums.jsonl',
      file_size: ROWS.length,
      checksum: createHash('sha256').update(ROWS).digest('hex'),
      mapping: { prompt: 'prompt' },
      invalid_rows: 'skip',
      training_ready: false,
      storage_path: `${owner.user_id}/${dataset.id}`,
    });
    expect(readFileSync(join(folder, 'storage', owner.user_id, dataset.id, 'data'), 'utf8')).toBe(ROWS);
    expect(staged()).toEqual([]);
  });

  test('as a form is stored the same, fields before and after the file', async () => {
    const answer = await form({
      name: 'A form',
      file: new File([ROWS], 'form.jsonl'),
      mapping: 'prompt=prompt,completion=completion',
    });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({
      name: 'A form',
      file_name: 'form.jsonl',
      mapping: { prompt: 'prompt', completion: 'completion' },
    });
  });

  test('of bytes that lie there already says so, and is stored', async () => {
    const body = `${ROWS}{"prompt":"once","completion":"more"}\n`;
    const first = (await (await upload('?name=first', body)).json()) as DatasetUploaded;
    const second = (await (await upload('?name=second', body)).json()) as DatasetUploaded;
    expect(first.duplicate_of).toBeNull();
    expect(second.duplicate_of).toEqual({ id: first.id, name: 'first' });
    const other = await api.request('/api/datasets/upload', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...stranger.headers },
      body,
    });
    expect(await other.json()).toMatchObject({ duplicate_of: null });
  });

  test('told twice with one Idempotency-Key is one dataset; with another file it is refused', async () => {
    const key = { 'idempotency-key': 'upload-1' };
    const first = await upload('?name=once', ROWS, key);
    const again = await upload('?name=once', ROWS, key);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await again.json()).toEqual(await first.json());
    const before = files().length;
    expect((await upload('?name=once', `${ROWS} `, key)).status).toBe(409);
    expect(files().length).toBe(before);
    const told = (name: string) => form({ file: new File([ROWS], 'f.jsonl'), name }, { 'idempotency-key': 'upload-2' });
    expect([(await told('one')).status, (await told('one')).status, (await told('two')).status]).toEqual([201, 201, 409]);
  });

  test('told again with its Idempotency-Key once it is deleted is answered as it was, and makes none', async () => {
    const key = { 'idempotency-key': 'upload-gone' };
    const first = await upload('?name=gone', ROWS, key);
    const told = await first.text();
    const { id } = JSON.parse(told) as DatasetUploaded;
    expect((await api.request(`/api/datasets/${id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(204);
    const before = files().length;
    const again = await upload('?name=gone', ROWS, key);
    expect([again.status, again.headers.get('idempotent-replayed'), await again.text()]).toEqual([201, 'true', told]);
    const other = await upload('?name=gone', `${ROWS} `, key);
    expect([other.status, (await other.json()).code]).toEqual([409, 'idempotency_key_reused']);
    const empty = await upload('?name=gone', '', key);
    expect(await violations(empty)).toEqual(['file empty']);
    expect(files().length).toBe(before);
  });

  test('that still arrives has its Idempotency-Key: the same request is told when to come again, and then gets its answer', async () => {
    const key = { 'idempotency-key': 'upload-slow' };
    let end = () => {};
    const slow = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from(ROWS));
        end = () => controller.close();
      },
    });
    const first = upload('?name=slow&file_name=slow.jsonl', slow, key);
    await expect.poll(() => rowsOf('slow.jsonl')).toEqual([{ status: 'uploading', deleted: false }]);
    const early = await upload('?name=slow&file_name=slow.jsonl', ROWS, key);
    expect([early.status, early.headers.get('retry-after'), (await early.json()).code]).toEqual([
      409,
      '1',
      'idempotency_in_progress',
    ]);
    const stranger_key = { ...key, ...stranger.headers };
    expect((await upload('?name=slow&file_name=theirs.jsonl', ROWS, stranger_key)).status).toBe(201);
    end();
    const told = await first;
    expect(told.status).toBe(201);
    const again = await upload('?name=slow&file_name=slow.jsonl', ROWS, key);
    expect([again.status, again.headers.get('idempotent-replayed'), await again.json()]).toEqual([
      201,
      'true',
      await told.json(),
    ]);
    expect(await rowsOf('slow.jsonl')).toContainEqual({ status: 'validating', deleted: false });
  });

  test('that came to nothing leaves its Idempotency-Key free, also where its process was killed', async () => {
    const key = { 'idempotency-key': 'upload-broken' };
    expect((await upload('?name=broken', '', key)).status).toBe(400);
    await db.asOwner(
      `WITH killed AS (INSERT INTO lowrank.datasets (user_id, name, file_name, file_size, status, lease_until)
         VALUES ($1, 'broken', 'killed.jsonl', 1, 'uploading', now() + interval '1 minute') RETURNING id)
       INSERT INTO lowrank.idempotency_keys (user_id, route, key, request_hash, resource_id)
         SELECT $1, 'POST /api/datasets/upload', 'upload-broken', '', id::text FROM killed`,
      [owner.user_id],
    );
    expect((await upload('?name=broken', ROWS, key)).status).toBe(409);
    await db.asOwner(`UPDATE lowrank.datasets SET lease_until = now() - interval '1 second' WHERE file_name = 'killed.jsonl'`);
    const made = await upload('?name=broken', ROWS, key);
    expect([made.status, made.headers.get('idempotent-replayed')]).toEqual([201, null]);
  });

  test.each<[string, string, string]>([
    ['an unknown parameter', '?nmae=x', 'nmae unknown_parameter'],
    ['an unknown field in the mapping', '?mapping=promt%3Dx', 'mapping.promt invalid'],
    ['a mapping that is none', '?mapping=promt', 'mapping invalid'],
    ['an unknown format', '?format=csv', 'format invalid_value'],
    ['a file name that is a folder', '?file_name=..', 'file_name invalid'],
    ['a name of two lines', '?name=a%0Ab', 'name invalid_format'],
    ['an unknown rule for broken rows', '?invalid_rows=drop', 'invalid_rows invalid_value'],
  ])('with %s is refused by name', async (_, query, row) => {
    const answer = await upload(query);
    expect(answer.status).toBe(400);
    expect(await violations(answer)).toEqual([row]);
  });

  test('of an empty file is refused and leaves nothing', async () => {
    const before = files();
    for (const answer of [await upload('?file_name=empty.jsonl', ''), await form({ file: new File([], 'empty.jsonl') })]) {
      expect(answer.status).toBe(400);
      expect(await violations(answer)).toEqual(['file empty']);
    }
    expect(files()).toEqual(before);
    expect((await rowsOf('empty.jsonl')).every((row) => row.deleted)).toBe(true);
  });

  test.each([
    ['text/plain', 415],
    ['image/png', 415],
    ['multipart/form-data', 400],
    ['multipart/form-data; boundary=', 400],
    ['multipart/form-data; boundary=x', 400],
  ])('with the Content-Type %s is refused with %i', async (type, status) => {
    expect((await upload('', ROWS, { 'content-type': type })).status).toBe(status);
  });

  test('as a form without a file, with two, or with a field twice is refused and leaves nothing', async () => {
    const before = files();
    const two = new FormData();
    two.append('file', new File([ROWS], 'one.jsonl'));
    two.append('file', new File([ROWS], 'two.jsonl'));
    const twice = new FormData();
    twice.append('name', 'a');
    twice.append('name', 'b');
    twice.append('file', new File([ROWS], 'three.jsonl'));
    const codes = [];
    for (const body of [new FormData(), two, twice]) {
      const answer = await api.request('/api/datasets/upload', { method: 'POST', headers: owner.headers, body });
      expect(answer.status).toBe(400);
      codes.push(...(await violations(answer)));
    }
    expect(codes).toEqual(['body file_required', 'body one_file', 'body invalid_multipart']);
    expect((await form({ name: 'x', file: new File([ROWS], 'x.jsonl'), wrong: 'y' })).status).toBe(400);
    expect(files()).toEqual(before);
    expect(staged()).toEqual([]);
  });

  test('beyond the quota is refused before it is stored', async () => {
    await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', '0.000001')`);
    try {
      const before = files();
      const answer = await upload('?file_name=much.jsonl', 'x'.repeat(5000));
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([413, 'quota_exceeded']);
      expect(files()).toEqual(before);
    } finally {
      await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'user_quota_gb'`);
    }
  });

  test('is refused with a key that may only read', async () => {
    const reader = await addCaller(db, { scopes: ['read'] });
    expect((await upload('', ROWS, reader.headers)).status).toBe(403);
  });
});

describe('memory', () => {
  const CHUNK = Buffer.alloc(65_536, 'x');
  const CHUNKS = 512;

  /** A body of 32 MB that notes, whenever more of it is wanted, how much was given and is not on the disk. */
  const watchedBody = (head: string, tail: string) => {
    let given = 0;
    let held_most = 0;
    const onDisk = () =>
      staged()
        .map((name) => join(folder, 'storage/.staging', name, 'data'))
        .reduce((sum, path) => sum + (existsSync(path) ? statSync(path).size : 0), 0);
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (given === 0) controller.enqueue(Buffer.from(head));
          held_most = Math.max(held_most, given * CHUNK.length - onDisk());
          if (given++ < CHUNKS) controller.enqueue(CHUNK);
          else {
            controller.enqueue(Buffer.from(tail));
            controller.close();
          }
        },
      },
      { highWaterMark: 0 },
    );
    return { stream, held: () => held_most };
  };

  test.each([
    ['raw body', 'application/x-ndjson', '\n', '\n'],
    [
      'form',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n',
      '\r\n--b--\r\n',
    ],
  ])('an upload as a %s is never held but for a few chunks, though it has no line end', async (_, type, head, tail) => {
    const { stream, held } = watchedBody(head, tail);
    const answer = await upload('', stream, { 'content-type': type });
    expect(answer.status).toBe(201);
    expect(((await answer.json()) as Dataset).file_size).toBeGreaterThanOrEqual(CHUNK.length * CHUNKS);
    expect(held()).toBeLessThan(16 * CHUNK.length);
  });
});

describe('over a socket', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    ({ server, port } = await listen('127.0.0.1', 0));
    const host = `127.0.0.1:${port}`;
    const app = makeApi({ base_url: `http://${host}`, allowed_hosts: [host] });
    serve(server, {
      api: app,
      pages: null,
      base_url: `http://${host}`,
      allowed_hosts: [host],
      body_timeout_ms: 400,
      log: pino({ level: 'silent' }),
    });
  });
  afterAll(() => drain(server));

  const post = (query: string, headers: Record<string, string | number>) =>
    request({
      host: '127.0.0.1',
      port,
      path: `/api/datasets/upload${query}`,
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...owner.headers, ...headers },
    });
  const statusOf = (sending: ReturnType<typeof request>) =>
    new Promise<number>((resolve, reject) => {
      sending.once('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sending.once('error', reject);
    });
  /** Waits until the database says what is expected: the server ends an upload in its own time. */
  const until = async (name: string, check: (rows: { status: string; deleted: boolean }[]) => boolean) => {
    for (;;) {
      const rows = await rowsOf(name);
      if (check(rows)) return rows;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  test.each([
    ['raw', { 'content-length': 1_000_000 }, 'x'],
    ['chunked', {}, 'x'],
    [
      'form',
      { 'content-type': 'multipart/form-data; boundary=b' },
      '--b\r\nContent-Disposition: form-data; name="file"; filename="NAME"\r\n\r\nx',
    ],
  ])('a client that goes away in mid-upload (%s) leaves nothing', async (kind, headers, first) => {
    const before = files();
    const name = `gone-${kind}.jsonl`;
    const sending = post(kind === 'form' ? '' : `?file_name=${name}`, headers);
    sending.on('error', () => undefined);
    sending.write(first.replace('NAME', name) + 'x'.repeat(100_000));
    await until(name, (rows) => rows.length === 1);
    expect((await rowsOf(name))[0]).toMatchObject({ status: 'uploading', deleted: false });
    sending.destroy();
    await until(name, (rows) => rows[0]?.deleted === true);
    expect(files()).toEqual(before);
    expect(staged()).toEqual([]);
  });

  test('a client that falls silent is told so and leaves nothing', async () => {
    const sending = post('?file_name=silent.jsonl', { 'content-length': 1_000_000 });
    sending.write('x'.repeat(1000));
    expect(await statusOf(sending)).toBe(408);
    await until('silent.jsonl', (rows) => rows[0]?.deleted === true);
    sending.destroy();
  });

  test('a length above the limit is refused before a byte, and what was sent instead is let go', async () => {
    const sending = post('', { 'content-length': 524_288_001 });
    sending.on('error', () => undefined);
    sending.flushHeaders();
    expect(await statusOf(sending)).toBe(413);
    sending.destroy();
  });
});

describe('a dataset', () => {
  test('is listed, searched, read, renamed and deleted by its owner', async () => {
    const { id } = await stored('?file_name=walk.jsonl&name=The%20walk%20100%25_a');
    const list = async (query: string) =>
      (await (await api.request(`/api/datasets?${query}`, { headers: owner.headers })).json()) as {
        datasets: Dataset[];
        total: number;
      };
    expect((await list('search=walk%20100%25_')).datasets.map((one) => one.id)).toEqual([id]);
    expect((await list('q=WALK')).total).toBe(1);
    expect((await list('search=walk%25a')).total).toBe(0);
    expect((await list('limit=1')).datasets).toHaveLength(1);
    const renamed = await api.request(`/api/datasets/${id}`, json({ name: 'Renamed', description: 'x' }, owner.headers, 'PATCH'));
    expect(await renamed.json()).toMatchObject({ id, name: 'Renamed', description: 'x', version: 1, status: 'validating' });
    expect((await api.request(`/api/datasets/${id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(204);
    for (const method of ['GET', 'DELETE'])
      expect((await api.request(`/api/datasets/${id}`, { method, headers: owner.headers })).status).toBe(404);
    expect((await list('q=Renamed')).total).toBe(0);
  });

  test('of another user is not found, and the answer is that for none', async () => {
    const { id } = await stored();
    const answers = [];
    for (const which of [id, NO_ID])
      for (const init of [{}, { method: 'DELETE' }, json({ name: 'mine' }, {}, 'PATCH')] as RequestInit[]) {
        const answer = await api.request(`/api/datasets/${which}`, {
          ...init,
          headers: { ...(init.headers as Record<string, string>), ...stranger.headers },
        });
        const { request_id, ...body } = (await answer.json()) as Record<string, unknown>;
        answers.push([answer.status, body]);
      }
    expect(answers.slice(0, 3)).toEqual(answers.slice(3));
    expect(answers.every(([status]) => status === 404)).toBe(true);
    expect(await (await api.request('/api/datasets', { headers: stranger.headers })).json()).toMatchObject({
      datasets: expect.not.arrayContaining([expect.objectContaining({ id })]),
    });
    expect((await api.request(`/api/datasets/${id}`, { headers: owner.headers })).status).toBe(200);
  });

  test('is checked again when it is to be read another way', async () => {
    const id = await addDataset(db, owner.user_id, { status: 'error', training_ready: false, claim: 4, attempts: 3 });
    const answer = await api.request(
      `/api/datasets/${id}`,
      json({ mapping: { prompt: 'question' }, invalid_rows: 'skip', format: 'prompt_completion' }, owner.headers, 'PATCH'),
    );
    expect(await answer.json()).toMatchObject({
      status: 'validating',
      version: 2,
      mapping: { prompt: 'question' },
      invalid_rows: 'skip',
      metadata: { requested_format: 'prompt_completion' },
    });
    const [row] = await db.asOwner('SELECT claim, attempts FROM lowrank.datasets WHERE id = $1', [id]);
    expect(row).toEqual({ claim: 5, attempts: 0 });
    const refused = await api.request(
      `/api/datasets/${id}`,
      json({ mapping: { promt: 'x' }, status: 'ready' }, owner.headers, 'PATCH'),
    );
    expect(await violations(refused)).toEqual(['mapping.promt invalid', 'status unknown_field']);
  });

  test('that a training needs is neither deleted nor read another way; a finished one needs nothing', async () => {
    const dataset_id = await addDataset(db, owner.user_id);
    const job = await addJob(db, owner.user_id, { dataset_id });
    const change = () => api.request(`/api/datasets/${dataset_id}`, json({ invalid_rows: 'skip' }, owner.headers, 'PATCH'));
    const remove = () => api.request(`/api/datasets/${dataset_id}`, { method: 'DELETE', headers: owner.headers });
    expect([(await change()).status, (await remove()).status]).toEqual([409, 409]);
    expect((await api.request(`/api/datasets/${dataset_id}`, json({ name: 'New' }, owner.headers, 'PATCH'))).status).toBe(200);
    await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [job]);
    expect([(await change()).status, (await remove()).status]).toEqual([200, 204]);
  });

  test('is told apart by tags and facts of its own; what the system keeps stays', async () => {
    const id = await addDataset(db, owner.user_id, { metadata: { source: 'huggingface', requested_format: 'auto', old: 1 } });
    const change = (body: unknown) => api.request(`/api/datasets/${id}`, json(body, owner.headers, 'PATCH'));
    expect(await (await change({ tags: ['a', 'b'], metadata: { old: null, class_prompt: 'a dog' } })).json()).toMatchObject({
      tags: ['a', 'b'],
      metadata: { source: 'huggingface', requested_format: 'auto', class_prompt: 'a dog' },
      version: 1,
      status: 'ready',
    });
    expect(await violations(await change({ metadata: { source: 'mine' } }))).toEqual(['metadata.source invalid']);
  });

  test('that was deleted is restored within 30 days, and only by its owner', async () => {
    const id = await addDataset(db, owner.user_id, { name: 'Back again' });
    const restore = (headers: Record<string, string>) => api.request(`/api/datasets/${id}/restore`, { method: 'POST', headers });
    expect((await restore(owner.headers)).status).toBe(409);
    await api.request(`/api/datasets/${id}`, { method: 'DELETE', headers: owner.headers });
    expect((await restore(stranger.headers)).status).toBe(404);
    const answer = await restore(owner.headers);
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ id, name: 'Back again' })]);
    expect((await api.request(`/api/datasets/${id}`, { headers: owner.headers })).status).toBe(200);
    await db.asOwner('UPDATE lowrank.datasets SET deleted_at = now(), purged_at = now() WHERE id = $1', [id]);
    expect((await restore(owner.headers)).status).toBe(404);
  });

  test('that was deleted is not restored beyond the quota', async () => {
    const id = await addDataset(db, owner.user_id, { file_size: 5_000_000_000_000 });
    const call = (path: string, method: string) => api.request(`/api/datasets/${id}${path}`, { method, headers: owner.headers });
    await call('', 'DELETE');
    expect((await call('/restore', 'POST')).status).toBe(413);
  });
});

describe('what can train a model', () => {
  test('is listed with its judgement; the others only where they are asked for', async () => {
    const person = await addCaller(db);
    const model_id = await addBaseModel(db, { has_chat_template: false, context_length: 64 });
    const add = (name: string, fields: Record<string, unknown>) =>
      addDataset(db, person.user_id, { name, num_samples: 20_000, ...fields });
    await add('text', { format: 'text', statistics: { rows_valid: 10, tokens: { max: 60, buckets: [] } } });
    await add('small', { format: 'prompt_completion', num_samples: 9_999 });
    await add('talk', { format: 'chat' });
    await add('pictures', { format: 'text', modality: 'image' });
    await add('broken', { format: 'text', status: 'error', training_ready: false });
    const list = async (query: string, headers = person.headers) =>
      (await (await api.request(`/api/datasets?${query}`, { headers })).json()) as {
        datasets: (Dataset & { compatibility?: { compatible: boolean; warnings: string[]; errors: string[] } })[];
        total: number;
      };
    const fit = await list(`compatible_with_model=${model_id}`);
    expect([fit.total, fit.datasets.map((one) => one.name).sort()]).toEqual([2, ['small', 'text']]);
    expect(fit.datasets.find((one) => one.name === 'text')?.compatibility).toEqual({
      compatible: true,
      warnings: [],
      errors: [],
    });
    expect(fit.datasets.find((one) => one.name === 'small')?.compatibility?.warnings.join()).toMatch(
      /9999 samples.*not counted/s,
    );
    const all = await list(`compatible_with_model=${model_id}&include_incompatible=true`);
    expect(all.total).toBe(5);
    for (const { name, compatibility } of all.datasets)
      expect([name, compatibility?.compatible, compatibility?.errors.length]).toEqual(
        ['text', 'small'].includes(name) ? [name, true, 0] : [name, false, 1],
      );
    expect((await list('limit=1')).datasets[0]).not.toHaveProperty('compatibility');
    const missing = await api.request(`/api/datasets?compatible_with_model=${NO_ID}`, { headers: person.headers });
    expect(missing.status).toBe(404);
    expect(
      (await list(`compatible_with_model=${model_id}&include_incompatible=true`, stranger.headers)).datasets,
    ).not.toContainEqual(expect.objectContaining({ name: 'text' }));
  });

  test('by the list is exactly what has no error by the rule', async () => {
    const person = await addCaller(db);
    const models = [true, false].map((has_chat_template) => addBaseModel(db, { has_chat_template }));
    for (const format of ['chat', 'sharegpt', 'alpaca', 'prompt_completion', 'text', null])
      for (const modality of ['text', 'image'])
        for (const [status, training_ready] of [
          ['ready', true],
          ['ready', false],
          ['error', false],
          ['validating', false],
        ] as const)
          await addDataset(db, person.user_id, { format, modality, status, training_ready });
    const ids = async (query: string) =>
      (
        (await (await api.request(`/api/datasets?limit=500&${query}`, { headers: person.headers })).json()) as {
          datasets: { id: string; compatibility: { compatible: boolean } }[];
        }
      ).datasets;
    for (const model of await Promise.all(models)) {
      const all = await ids(`compatible_with_model=${model}&include_incompatible=true`);
      const listed = await ids(`compatible_with_model=${model}`);
      expect(listed.length).toBeGreaterThan(1);
      expect(listed.map((one) => one.id)).toEqual(all.filter((one) => one.compatibility.compatible).map((one) => one.id));
    }
  });
});
