// What every storage promises, whatever keeps its bytes: each of them goes through all of this.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loopback, startS3, type TestS3 } from '../../test/s3-server.ts';
import { localFolder } from './local-folder.ts';
import type { S3Options } from './s3/s3-options.ts';
import { s3Storage } from './s3/s3-storage.ts';
import { SHARED_OWNER, type Storage } from './storage.ts';

const owner = randomUUID();
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

interface Kind {
  /** A storage below `folder`, which nobody has used before, and how it ends. */
  make(folder: string): Promise<{ storage: Storage; end(): Promise<void> }>;
}

function onS3(choose: (s3: TestS3) => S3Options, lookup?: LookupFunction): Kind {
  return {
    async make(folder) {
      const s3 = await startS3();
      return { storage: s3Storage(choose(s3), join(folder, 'storage'), lookup), end: s3.close };
    },
  };
}

const kinds: [string, Kind][] = [
  ['a local folder', { make: async (folder) => ({ storage: localFolder(join(folder, 'storage')), end: async () => undefined }) }],
  ['S3 with buckets in the path', onS3((s3) => s3.options())],
  ['S3 with buckets as hosts', onS3((s3) => s3.virtualHost(), loopback)],
  ['S3 with checksums of its own', onS3((s3) => s3.options({ checksums: true }))],
  ['S3 with one bucket for all', onS3((s3) => s3.options({ models_bucket: 'lora-datasets' }))],
];

describe.each(kinds)('%s', (_, kind) => {
  let folder: string;
  let storage: Storage;
  let end: () => Promise<void>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lowrank-storage-'));
    ({ storage, end } = await kind.make(folder));
  });
  afterAll(async () => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  });

  const source = (files: Record<string, string | Buffer>): string => {
    const path = mkdtempSync(join(folder, 'source-'));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(path, name, '..'), { recursive: true });
      writeFileSync(join(path, name), content);
    }
    return path;
  };
  const put = async (content: string, id: string = randomUUID()) => {
    await storage.receive(owner, id, 'data', chunks(content), 1000);
    return id;
  };
  const read = async (id: string, path: string, who: string = owner) => text((await storage.open(who, id, path)).stream);
  const listed = async () => {
    const found: string[] = [];
    for await (const { owner, resource_id } of storage.resources()) found.push(`${owner}/${resource_id}`);
    return found;
  };

  describe('a streamed file', () => {
    it('is stored whole with its sum', async () => {
      const id = randomUUID();
      const stored = await storage.receive(owner, id, 'data', chunks('one\n', 'two\n'), 8);
      expect(stored).toEqual({ bytes: 8, sha256: sha256('one\ntwo\n') });
      expect(await read(id, 'data')).toBe('one\ntwo\n');
    });

    it('is joined by others, which replace their like and go alone', async () => {
      const id = await put('first');
      expect(await storage.add(owner, id, 'more', chunks('old'), 10)).toEqual({ bytes: 3, sha256: sha256('old') });
      await storage.add(owner, id, 'more', chunks('new'), 10);
      expect([await read(id, 'data'), await read(id, 'more')]).toEqual(['first', 'new']);
      await expect(storage.add(owner, id, 'more', chunks('too much'), 3)).rejects.toMatchObject({ code: 'payload_too_large' });
      expect(await read(id, 'more')).toBe('new');
      await storage.removeFile(owner, id, 'data');
      await storage.removeFile(owner, id, 'data');
      await expect(storage.open(owner, id, 'data')).rejects.toMatchObject({ code: 'not_found' });
      expect(await read(id, 'more')).toBe('new');
      expect(await storage.collectStaging(-1)).toBe(0);
    });

    it('of 24 MB is the same byte for byte', async () => {
      const id = randomUUID();
      const content = randomBytes(24 * 1024 * 1024 + 7);
      const parts = Array.from({ length: 25 }, (_, at) => content.subarray(at * 1024 * 1024, (at + 1) * 1024 * 1024));
      const stored = await storage.receive(owner, id, 'data', chunks(...parts), content.length);
      expect(stored).toEqual({ bytes: content.length, sha256: sha256(content) });
      const opened = await storage.open(owner, id, 'data');
      expect(opened.bytes).toBe(content.length);
      expect(sha256(await buffer(opened.stream))).toBe(stored.sha256);
      const middle = await storage.open(owner, id, 'data', { first: 9_000_000, last: 9_000_009 });
      expect(await buffer(middle.stream)).toEqual(content.subarray(9_000_000, 9_000_010));
    });

    it.each([
      ['small', 'one'],
      ['large', randomBytes(11 * 1024 * 1024)],
    ])('that is %s leaves nothing when its source breaks off, or gives more than allowed', async (_, first) => {
      const broken = async function* () {
        yield Buffer.from(first);
        throw new Error('gone');
      };
      const [one, other] = [randomUUID(), randomUUID()];
      await expect(storage.receive(owner, one, 'data', broken(), 1e9)).rejects.toThrow('gone');
      await expect(storage.receive(owner, other, 'data', chunks(first, '123'), first.length + 2)).rejects.toMatchObject({
        code: 'payload_too_large',
      });
      for (const id of [one, other]) {
        await expect(storage.open(owner, id, 'data')).rejects.toMatchObject({ code: 'not_found' });
        expect(await listed()).not.toContain(`${owner}/${id}`);
      }
      expect(await storage.collectStaging(-1)).toBe(0);
    });

    it('is not opened for who left before, or meanwhile; for others it is', async () => {
      const id = await put('one');
      const leaving = new AbortController();
      const open = () => storage.open(owner, id, 'data', undefined, leaving.signal);
      const meanwhile = open();
      leaving.abort();
      await expect(meanwhile).rejects.toMatchObject({ name: 'AbortError' });
      await expect(open()).rejects.toMatchObject({ name: 'AbortError' });
      expect(await read(id, 'data')).toBe('one');
    });

    it('that is empty is stored as that', async () => {
      const id = randomUUID();
      expect(await storage.receive(owner, id, 'data', chunks(), 10)).toEqual({ bytes: 0, sha256: sha256('') });
      expect(await read(id, 'data')).toBe('');
    });

    it('is read in parts', async () => {
      const id = await put('0123456789');
      const part = await storage.open(owner, id, 'data', { first: 2, last: 4 });
      expect([part.bytes, await text(part.stream)]).toEqual([10, '234']);
      const last = await storage.open(owner, id, 'data', { first: 9, last: 9 });
      expect([last.bytes, await text(last.stream)]).toEqual([10, '9']);
    });

    it('has only a plain name', async () => {
      for (const name of ['Ünïcode', '../data', 'a/b', '', '.manifest.json', 'a b'])
        await expect(storage.receive(owner, randomUUID(), name, chunks('x'), 10), name).rejects.toThrow('no name');
    });

    it('is not found under another owner, resource or path, nor by any that leads out', async () => {
      const id = await put('mine');
      for (const [who, what, path] of [
        [randomUUID(), id, 'data'],
        [owner, randomUUID(), 'data'],
        [owner, id, 'absent'],
        [owner, id, 'data/x'],
        [owner, id, '../x/data'],
        [owner, id, `../${id}/data`],
        [owner, id, './data'],
        [owner, id, 'a\0b'],
        [owner, id, ''],
        [owner, id, 'x'.repeat(300)],
        ['..', id, 'data'],
        [owner, '..', 'data'],
        [owner.toUpperCase(), id, 'data'],
        ['.staging', id, 'data'],
      ] as const)
        await expect(storage.open(who, what, path), path).rejects.toMatchObject({ code: 'not_found' });
    });

    it('lies on this disk for a program that reads files, checked if it was brought', async () => {
      const id = await put('rows');
      const scratch = join(folder, randomUUID());
      const path = await storage.fileOnDisk(owner, id, 'data', sha256('rows'), scratch);
      expect(readFileSync(path, 'utf8')).toBe('rows');
      expect(await storage.fileOnDisk(owner, id, 'data', sha256('rows'), scratch)).toBe(path);
      await expect(
        storage.fileOnDisk(owner, randomUUID(), 'data', sha256('rows'), join(folder, randomUUID())),
      ).rejects.toMatchObject({
        code: 'not_found',
      });
    });
  });

  describe('a published folder', () => {
    it('is there whole, each file with its sum, and the source stays', async () => {
      const id = randomUUID();
      const from = source({ 'adapter_model.safetensors': 'weights', 'sub/Ünï "code" %20=.json': '{}', empty: '' });
      expect(await storage.published(owner, id)).toBeNull();
      const files = await storage.publishFolder(owner, id, from);
      const names = files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
      expect(names).toEqual([
        { path: 'adapter_model.safetensors', sha256: sha256('weights'), bytes: 7 },
        { path: 'empty', sha256: sha256(''), bytes: 0 },
        { path: 'sub/Ünï "code" %20=.json', sha256: sha256('{}'), bytes: 2 },
      ]);
      for (const file of files) expect(sha256(await read(id, file.path))).toBe(file.sha256);
      expect(new Set(files.map((file) => file.id)).size).toBe(3);
      expect(await storage.published(owner, id)).toEqual(files);
      expect(readFileSync(join(from, 'adapter_model.safetensors'), 'utf8')).toBe('weights');
    });

    it('published a second time answers with the first ids', async () => {
      const id = randomUUID();
      const from = source({ a: 'one', b: 'two' });
      const first = await storage.publishFolder(owner, id, from);
      expect(await storage.publishFolder(owner, id, from)).toEqual(first);
    });

    it('gives way to other content of the same resource, whole', async () => {
      const id = randomUUID();
      await storage.publishFolder(owner, id, source({ a: 'one', old: 'x' }));
      const files = await storage.publishFolder(owner, id, source({ a: 'two' }));
      expect(await storage.published(owner, id)).toEqual(files);
      expect(await read(id, 'a')).toBe('two');
      await expect(storage.open(owner, id, 'old')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('published by two at once is one of them', async () => {
      const id = randomUUID();
      const from = source({ a: 'one', b: 'two' });
      const answers = await Promise.all([1, 2].map(() => storage.publishFolder(owner, id, from)));
      expect(answers).toContainEqual(await storage.published(owner, id));
    });

    it('of a staging folder is taken over, recognised when asked again, and lies on this disk', async () => {
      const id = randomUUID();
      const staged = await storage.stagingFolder(`model-${id}`);
      writeFileSync(join(staged, 'model.safetensors'), 'weights');
      mkdirSync(join(staged, 'sub'));
      writeFileSync(join(staged, 'sub/ü.json'), '{}');
      const files = await storage.publishStaged(SHARED_OWNER, id, staged);
      await storage.removeStaging(`model-${id}`);
      expect(await storage.published(SHARED_OWNER, id)).toEqual(files);
      expect(await read(id, 'model.safetensors', SHARED_OWNER)).toBe('weights');
      const path = await storage.folderOnDisk(SHARED_OWNER, id);
      expect(readFileSync(join(path, 'sub/ü.json'), 'utf8')).toBe('{}');
    });

    it('with something else than plain files is refused and leaves nothing', async () => {
      const id = randomUUID();
      await expect(storage.publishFolder(owner, id, source({ a: 'one', 'b\nc': 'two' }))).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await storage.published(owner, id)).toBeNull();
      expect(await listed()).not.toContain(`${owner}/${id}`);
    });
  });

  it('a removed resource is gone, and removing it again is no error', async () => {
    const file = await put('x');
    const published = randomUUID();
    await storage.publishFolder(owner, published, source({ a: 'one', 'b/c': 'two' }));
    expect(await listed()).toEqual(expect.arrayContaining([`${owner}/${file}`, `${owner}/${published}`]));
    for (const id of [file, published]) {
      await storage.remove(owner, id);
      await storage.remove(owner, id);
      expect(await listed()).not.toContain(`${owner}/${id}`);
    }
    expect(await storage.published(owner, published)).toBeNull();
    await expect(storage.open(owner, file, 'data')).rejects.toMatchObject({ code: 'not_found' });
    await expect(storage.open(owner, published, 'a')).rejects.toMatchObject({ code: 'not_found' });
    await storage.remove(owner, randomUUID());
  });

  it('lists every resource once, with its age, and nothing else', async () => {
    const before = Date.now() - 2000;
    const other = randomUUID();
    const ids = [await put('x'), randomUUID()];
    await storage.publishFolder(other, ids[1] ?? '', source({ a: 'one', 'b/c': 'two', 'b/d': 'three' }));
    await storage.stagingFolder('model-x');
    const found: { owner: string; resource_id: string; modified_at: Date }[] = [];
    for await (const resource of storage.resources()) if (ids.includes(resource.resource_id)) found.push(resource);
    const places = found.map(({ owner, resource_id }) => `${owner}/${resource_id}`).sort();
    expect(places).toEqual([`${owner}/${ids[0]}`, `${other}/${ids[1]}`].sort());
    for (const { modified_at } of found) {
      expect(modified_at.getTime()).toBeGreaterThan(before);
      expect(modified_at.getTime()).toBeLessThan(Date.now() + 2000);
    }
  });
});
