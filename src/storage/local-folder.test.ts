import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localFolder } from './local-folder.ts';
import { MANIFEST } from './published-folder.ts';

const owner = randomUUID();
const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-storage-'));
  root = join(folder, 'storage');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const leftovers = () => (existsSync(join(root, '.staging')) ? readdirSync(join(root, '.staging')) : []);

describe('a streamed file', () => {
  it('is stored whole, private and with its sum', async () => {
    const id = randomUUID();
    const stored = await localFolder(root).receive(owner, id, 'data', chunks('one\n', 'two\n'), 100);
    expect(stored).toEqual({ bytes: 8, sha256: sha256('one\ntwo\n') });
    expect(readFileSync(join(root, owner, id, 'data'), 'utf8')).toBe('one\ntwo\n');
    expect(statSync(join(root, owner, id)).mode & 0o077).toBe(0);
    expect(statSync(join(root, owner, id, 'data')).mode & 0o077).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  it('leaves nothing when its source breaks off or is too large', async () => {
    const id = randomUUID();
    const broken = async function* () {
      yield Buffer.from('one');
      throw new Error('gone');
    };
    await expect(localFolder(root).receive(owner, id, 'data', broken(), 100)).rejects.toThrow('gone');
    await expect(localFolder(root).receive(owner, id, 'data', chunks('12345', '678901'), 10)).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(existsSync(join(root, owner))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('is not reached by a path that leads out, nor through a link', async () => {
    const id = randomUUID();
    const storage = localFolder(root);
    await storage.receive(owner, id, 'data', chunks('mine'), 100);
    writeFileSync(join(folder, 'secret'), 'secret');
    symlinkSync(join(folder, 'secret'), join(root, owner, id, 'link'));
    symlinkSync(folder, join(root, owner, id, 'up'));
    execFileSync('mkfifo', [join(root, owner, id, 'pipe')]);
    for (const path of [
      '../../../secret',
      'link',
      'up/secret',
      './data',
      '',
      '.',
      'absent',
      'data/x',
      'a\0b',
      'pipe',
      `${'x'.repeat(300)}`,
    ])
      await expect(storage.open(owner, id, path), path).rejects.toMatchObject({ code: 'not_found' });
    for (const [who, what] of [
      ['..', id],
      [owner, '..'],
      [owner.toUpperCase(), id],
      ['.staging', id],
    ] as const)
      await expect(storage.open(who, what, 'data')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('that does not fit on the disk is refused as storage_full and leaves nothing', async () => {
    const storage = localFolder(root);
    const full = async function* () {
      yield Buffer.from('one');
      await appendFile('/dev/full', 'the kernel says ENOSPC');
    };
    await expect(storage.receive(owner, randomUUID(), 'data', full(), 100)).rejects.toMatchObject({ code: 'storage_full' });
    expect(leftovers()).toEqual([]);
  });
});

describe('a published folder', () => {
  const source = (files: Record<string, string>): string => {
    const path = mkdtempSync(join(folder, 'source-'));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(path, name, '..'), { recursive: true });
      writeFileSync(join(path, name), content);
    }
    return path;
  };

  it('is there whole, each file with its sum, and the source stays', async () => {
    const id = randomUUID();
    const storage = localFolder(root);
    const from = source({ 'adapter_model.safetensors': 'weights', 'sub/config.json': '{}' });
    const files = await storage.publishFolder(owner, id, from);
    expect(files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }))).toEqual([
      { path: 'adapter_model.safetensors', sha256: sha256('weights'), bytes: 7 },
      { path: 'sub/config.json', sha256: sha256('{}'), bytes: 2 },
    ]);
    expect(await text((await storage.open(owner, id, 'sub/config.json')).stream)).toBe('{}');
    expect(await storage.published(owner, id)).toEqual(files);
    expect(existsSync(join(from, 'sub/config.json'))).toBe(true);
    expect(leftovers()).toEqual([]);
  });

  it('published a second time answers with the first ids', async () => {
    const id = randomUUID();
    const storage = localFolder(root);
    const from = source({ a: 'one', b: 'two' });
    const first = await storage.publishFolder(owner, id, from);
    expect(await localFolder(root).publishFolder(owner, id, from)).toEqual(first);
    expect(leftovers()).toEqual([]);
  });

  it('gives way to other content of the same resource, whole', async () => {
    const id = randomUUID();
    const storage = localFolder(root);
    await storage.publishFolder(owner, id, source({ a: 'one', old: 'x' }));
    const files = await storage.publishFolder(owner, id, source({ a: 'two' }));
    expect(readdirSync(join(root, owner, id)).sort()).toEqual([MANIFEST, 'a']);
    expect(await storage.published(owner, id)).toEqual(files);
    expect(leftovers()).toEqual([]);
  });

  it('published by two at once is one of them', async () => {
    const id = randomUUID();
    const from = source({ a: 'one', b: 'two' });
    const [one, other] = await Promise.all([
      localFolder(root).publishFolder(owner, id, from),
      localFolder(root).publishFolder(owner, id, from),
    ]);
    expect([one, other]).toContainEqual(await localFolder(root).published(owner, id));
    expect(leftovers()).toEqual([]);
  });

  it('with a link, a hard link, a linked folder or a pipe in it is refused and leaves nothing', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'secret');
    for (const plant of [
      (path: string) => symlinkSync(secret, join(path, 'weights')),
      (path: string) => linkSync(secret, join(path, 'weights')),
      (path: string) => symlinkSync(folder, join(path, 'more')),
      (path: string) => execFileSync('mkfifo', [join(path, 'pipe')]),
    ]) {
      const id = randomUUID();
      const from = source({ a: 'one' });
      plant(from);
      await expect(localFolder(root).publishFolder(owner, id, from)).rejects.toMatchObject({ code: 'conflict' });
      expect(existsSync(join(root, owner, id))).toBe(false);
      expect(leftovers()).toEqual([]);
    }
  });

  it.each<[string, string | Buffer]>([
    ['a line break', 'a\nb'],
    ['an escape', 'a\u001b[31mb'],
    ['a backslash', '..\\b'],
    ['a mark that turns what follows around', 'a\u202eb'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff, 0x62])],
  ])('with %s in a name is refused, and says so in plain characters', async (_, name) => {
    for (const make of [(path: Buffer) => writeFileSync(path, ''), (path: Buffer) => mkdirSync(path)]) {
      const from = source({ 'sub/one': 'one' });
      make(Buffer.concat([Buffer.from(join(from, 'sub/')), Buffer.from(name)]));
      const refusal = await localFolder(root)
        .publishFolder(owner, randomUUID(), from)
        .then(() => null)
        .catch((error: Error & { code: string }) => error);
      expect(refusal?.code).toBe('conflict');
      expect(refusal?.message).toMatch(/^sub\/[ -~]+$/);
      expect(leftovers()).toEqual([]);
    }
  });

  it('of a staging folder with a hard link is refused, too', async () => {
    const storage = localFolder(root);
    const staged = await storage.stagingFolder('model-x');
    writeFileSync(join(folder, 'secret'), 'secret');
    linkSync(join(folder, 'secret'), join(staged, 'model.safetensors'));
    await expect(storage.publishStaged('shared', randomUUID(), staged)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('of a staging folder is moved, and recognised when asked again', async () => {
    const id = randomUUID();
    const storage = localFolder(root);
    const staged = await storage.stagingFolder(`model-${id}`);
    writeFileSync(join(staged, 'model.safetensors'), 'weights');
    const files = await storage.publishStaged('shared', id, staged);
    expect(existsSync(staged)).toBe(false);
    expect(await storage.published('shared', id)).toEqual(files);
    expect(await text((await storage.open('shared', id, 'model.safetensors')).stream)).toBe('weights');
  });
});

/** How many descriptors this process has open below the storage. */
const openFiles = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
    } catch {
      // The descriptor that lists them is gone by now.
      return false;
    }
  }).length;

it.runIf(process.platform === 'linux')('a file that its reader did not wait for, or left, is open no more', async () => {
  const id = randomUUID();
  const storage = localFolder(root);
  await storage.receive(owner, id, 'data', chunks('x'), 10);
  const leaving = new AbortController();
  const openings = Array.from({ length: 20 }, () => storage.open(owner, id, 'data', undefined, leaving.signal));
  const kept = storage.open(owner, id, 'data');
  leaving.abort();
  const opened = await Promise.allSettled(openings);
  expect(opened.map(({ status }) => status)).toEqual(openings.map(() => 'rejected'));
  const { stream } = await kept;
  expect(openFiles()).toBe(1);
  stream.destroy();
  await expect.poll(openFiles).toBe(0);
});

it('a removed resource is gone, and removing it again is no error', async () => {
  const id = randomUUID();
  const storage = localFolder(root);
  await storage.receive(owner, id, 'data', chunks('x'), 10);
  await storage.remove(owner, id);
  await storage.remove(owner, id);
  expect(readdirSync(join(root, owner))).toEqual([]);
  await expect(storage.open(owner, id, 'data')).rejects.toMatchObject({ code: 'not_found' });
});

it('collects what lay staged for longer than told, and nothing younger', async () => {
  const storage = localFolder(root);
  const old = await storage.stagingFolder('old');
  const young = await storage.stagingFolder('young');
  mkdirSync(join(young, 'parts'));
  writeFileSync(join(young, 'parts', 'part'), 'x');
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  utimesSync(old, yesterday, yesterday);
  utimesSync(join(young, 'parts'), yesterday, yesterday);
  utimesSync(young, yesterday, yesterday);
  expect(await storage.collectStaging(24 * 3_600_000)).toBe(1);
  expect(leftovers()).toEqual(['young']);
});
