import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { request } from 'node:http';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import { addCaller, makeApi } from '../../test/api.ts';
import { api, db, folder, owner, ROWS, stranger, upload, violations } from '../../test/dataset-scene.ts';
import { drain, listen, serve } from './web-server.ts';

const form = (parts: Record<string, string | File>, headers: Record<string, string> = {}) => {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) body.append(name, part);
  return api.request('/api/datasets/upload', { method: 'POST', headers: { ...owner.headers, ...headers }, body });
};
const files = () => {
  const root = join(folder, 'storage');
  return existsSync(join(root, owner.user_id)) ? readdirSync(join(root, owner.user_id)) : [];
};
const staged = () => readdirSync(join(folder, 'storage/.staging'));
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

  test('of several pictures is one zip, the same for the same files, and refused where a name is none or comes twice', async () => {
    const send = (names: string[], headers: Record<string, string> = {}) => {
      const body = new FormData();
      for (const name of names) body.append('file', new File([`of ${name}`], name));
      return api.request('/api/datasets/upload', { method: 'POST', headers: { ...owner.headers, ...headers }, body });
    };
    const key = { 'idempotency-key': 'pictures-1' };
    const names = ['vase/1.jpg', 'vase/1.txt', 'vase/metadata.jsonl', 'reg/1.png'];
    const answer = await send(names, key);
    expect(answer.status).toBe(201);
    const dataset = (await answer.json()) as DatasetUploaded;
    expect(dataset).toMatchObject({ modality: 'image', file_name: 'vase.zip', status: 'validating' });
    const zip = readFileSync(join(folder, 'storage', owner.user_id, dataset.id, 'data'));
    expect(createHash('sha256').update(zip).digest('hex')).toBe(dataset.checksum);
    for (const name of names) expect(zip.includes(`of ${name}`)).toBe(true);
    const again = await send(names, key);
    expect([again.headers.get('idempotent-replayed'), await again.json()]).toEqual(['true', dataset]);
    const before = files();
    for (const broken of [
      ['a.jpg', 'a.jpg'],
      ['a.jpg', '../b.jpg'],
      ['/a.jpg'],
      ['a.jpg', `${'b'.repeat(300)}.jpg`],
      ['a.jpg', 'b//c.jpg'],
    ]) {
      const refused = await send(broken);
      expect([broken, refused.status, await violations(refused)]).toEqual([broken, 400, ['body invalid_multipart']]);
    }
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
    [
      'form of pictures',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n',
      '\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\nx\r\n--b--\r\n',
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
