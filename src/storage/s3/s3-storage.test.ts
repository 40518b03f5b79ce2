// What only a storage elsewhere must stand: a server that is away, refuses, breaks off or lies, and addresses that are handed out.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BUCKETS } from '#/domain/buckets.ts';
import { env } from '#/env.ts';
import { getFromHere, loopback, refuseAsS3, startS3, type TestS3 } from '../../../test/s3-server.ts';
import type { Storage, StoredResource } from '../storage.ts';
import { s3Storage } from './s3-storage.ts';

const MB = 1024 * 1024;
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

let folder: string;
let s3: TestS3;
let storage: Storage;
let owner: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-s3-storage-'));
  s3 = await startS3();
});
afterAll(async () => {
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  s3.fault = null;
  s3.asked.length = 0;
  owner = randomUUID();
  storage = s3Storage(s3.options(), join(folder, randomUUID()));
});
afterEach(() => vi.useRealTimers());

const source = (files: Record<string, string | Buffer>): string => {
  const path = mkdtempSync(join(folder, 'source-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
};
const ownKeys = (bucket: 'datasets_bucket' | 'models_bucket') => s3.keys(bucket).filter((key) => key.startsWith(owner));
const allOf = async (of: Storage) => {
  const found: StoredResource[] = [];
  for await (const resource of of.resources()) found.push(resource);
  return found;
};
const isPut = (request: IncomingMessage, name: string) => request.method === 'PUT' && request.url?.includes(name) === true;

it('goes into the buckets that a set-up makes, unless others are named', () => {
  expect([env.LOWRANK_S3_DATASETS_BUCKET, env.LOWRANK_S3_MODELS_BUCKET]).toEqual([BUCKETS.datasets.name, BUCKETS.models.name]);
});

describe('what is stored', () => {
  it('lies in the bucket of its kind, under the owner’s id and a name that every server takes', async () => {
    const [dataset, artifact] = [randomUUID(), randomUUID()];
    await storage.receive(owner, dataset, 'data', chunks('rows'), 10);
    await storage.publishFolder(owner, artifact, source({ 'a.txt': '1', 'sub/Ü b=c.json': '2' }));
    expect(ownKeys('datasets_bucket')).toEqual([`${owner}/${dataset}/data`]);
    expect(ownKeys('models_bucket')).toEqual([
      `${owner}/${artifact}/.manifest.json`,
      `${owner}/${artifact}/a.txt`,
      `${owner}/${artifact}/sub/=C3=9C=20b=3Dc.json`,
    ]);
  });

  it('with a path too long for a key is refused before anything else than it', async () => {
    const path = Array.from({ length: 5 }, () => 'x'.repeat(250)).join('/');
    await expect(storage.publishFolder(owner, randomUUID(), source({ [path]: '1' }))).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is brought to another machine whole and once, and stays there when the server is away', async () => {
    const id = randomUUID();
    const content = randomBytes(9 * MB);
    await storage.publishFolder(owner, id, source({ 'w.safetensors': content, 'sub/ü.json': '{}' }));
    const other = s3Storage(s3.options(), join(folder, randomUUID()));
    s3.asked.length = 0;
    const [path, same] = await Promise.all([other.folderOnDisk(owner, id), other.folderOnDisk(owner, id)]);
    expect(same).toBe(path);
    expect(readFileSync(join(path, 'w.safetensors')).equals(content)).toBe(true);
    expect(readFileSync(join(path, 'sub/ü.json'), 'utf8')).toBe('{}');
    expect(s3.asked).toHaveLength(3);
    s3.fault = (_, response) => refuseAsS3(response, 503, 'SlowDown');
    expect(await other.folderOnDisk(owner, id)).toBe(path);
    s3.fault = null;
    await other.remove(owner, id);
    expect(existsSync(path)).toBe(false);
  });

  it('is not brought where it would take the reserve of the disk', async () => {
    const id = randomUUID();
    await storage.receive(owner, id, 'data', chunks('rows'), 10);
    await storage.publishFolder(owner, id, source({ a: '1' }));
    const reserve = env.LOWRANK_DISK_RESERVE_GB;
    env.LOWRANK_DISK_RESERVE_GB = 1e9;
    try {
      const scratch = join(folder, randomUUID());
      await expect(storage.fileOnDisk(owner, id, 'data', sha256('rows'), scratch)).rejects.toMatchObject({
        code: 'storage_full',
      });
      await expect(storage.folderOnDisk(owner, id)).rejects.toMatchObject({ code: 'storage_full' });
      expect(readdirSync(scratch)).toEqual([]);
    } finally {
      env.LOWRANK_DISK_RESERVE_GB = reserve;
    }
  });

  it('and was changed there is not taken for what was stored', async () => {
    const [dataset, artifact] = [randomUUID(), randomUUID()];
    await storage.receive(owner, dataset, 'data', chunks('rows'), 10);
    await storage.publishFolder(owner, artifact, source({ a: 'weights' }));
    writeFileSync(s3.pathOf('datasets_bucket', `${owner}/${dataset}/data`), 'worm');
    writeFileSync(s3.pathOf('models_bucket', `${owner}/${artifact}/a`), 'WEIGHTS');
    const root = join(folder, randomUUID());
    const other = s3Storage(s3.options(), root);
    const scratch = join(folder, randomUUID());
    await expect(other.fileOnDisk(owner, dataset, 'data', sha256('rows'), scratch)).rejects.toMatchObject({ code: 'conflict' });
    await expect(other.folderOnDisk(owner, artifact)).rejects.toMatchObject({ code: 'conflict' });
    expect(readdirSync(scratch)).toEqual([]);
    expect(readdirSync(join(root, '.staging'))).toEqual([]);
    expect(existsSync(join(root, owner))).toBe(false);
  });
});

describe('a server', () => {
  const everyVerb = (of: Storage): [string, () => Promise<unknown>][] => {
    const id = randomUUID();
    const from = source({ a: '1' });
    return [
      ['receive', () => of.receive(owner, id, 'data', chunks('x'), 10)],
      ['publishFolder', () => of.publishFolder(owner, id, from)],
      ['published', () => of.published(owner, id)],
      ['open', () => of.open(owner, id, 'data')],
      ['fileOnDisk', () => of.fileOnDisk(owner, id, 'data', sha256('x'), join(folder, id))],
      ['folderOnDisk', () => of.folderOnDisk(owner, id)],
      ['remove', () => of.remove(owner, id)],
      ['resources', () => allOf(of)],
      ['collectStaging', () => of.collectStaging(0)],
    ];
  };

  it('that is away, or answers that it is busy, is told as that by every verb', async () => {
    const gone = s3Storage(s3.options({ endpoint: 'http://127.0.0.1:1' }), join(folder, randomUUID()));
    for (const [verb, work] of everyVerb(gone))
      await expect(work(), verb).rejects.toMatchObject({ code: 'storage_unavailable', retry_after_s: expect.any(Number) });
    s3.fault = (_, response) => refuseAsS3(response, 503, 'SlowDown');
    const [receive, publish] = everyVerb(storage);
    for (const [verb, work] of [receive, publish].filter((one) => one !== undefined))
      await expect(work(), verb).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it.each<[string, Parameters<TestS3['options']>[0]]>([
    ['key', { access_key_id: 'SOMEBODY' }],
    ['secret', { secret_access_key: 'another-secret-word' }],
    ['bucket', { datasets_bucket: 'absent', models_bucket: 'absent' }],
  ])('that refuses the %s is told as that by every verb, and never with the secret', async (_, changes) => {
    const refused = s3Storage(s3.options(changes), join(folder, randomUUID()));
    for (const [verb, work] of everyVerb(refused)) {
      const error = await work().catch((caught: unknown) => caught);
      expect(error, verb).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('refuses it') });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret-word');
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('AWS4');
    }
  });

  it.each([
    [404, 'text/plain', '404 page not found'],
    [404, 'text/html', '<html><body>Not found</body></html>'],
    [404, 'application/json', ''],
    [403, 'text/html', '<p>no<br></html>'],
  ])(
    'that is no S3 server (%i, %s) is told as a wrong set-up by every verb, and never as a file that is not there',
    async (...page) => {
      const [status, type, body] = page;
      s3.fault = (_, response) => {
        response.writeHead(status, { 'content-type': type }).end(body);
        return true;
      };
      for (const [verb, work] of everyVerb(storage))
        await expect(work(), verb).rejects.toMatchObject({
          code: 'storage_unavailable',
          message: expect.stringMatching(/is not set up right: .*lowrank doctor/),
        });
    },
  );

  it('that sends elsewhere is not followed', async () => {
    const other = await startS3();
    try {
      s3.fault = (request, response) => {
        response.writeHead(307, { location: `${other.url}${request.url}` }).end();
        return true;
      };
      for (const [verb, work] of everyVerb(storage))
        await expect(work(), verb).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect(other.asked).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('without room says so', async () => {
    s3.fault = (request, response) => request.method === 'PUT' && refuseAsS3(response, 507, 'XMinioStorageFull');
    await expect(storage.receive(owner, randomUUID(), 'data', chunks('x'), 10)).rejects.toMatchObject({ code: 'storage_full' });
  });

  it('that fails for a moment costs nothing', async () => {
    const id = randomUUID();
    let failures = 2;
    s3.fault = (request, response) => {
      if (failures-- <= 0) return false;
      if (failures === 1) return refuseAsS3(response, 503, 'SlowDown');
      request.socket.destroy();
      return true;
    };
    await storage.receive(owner, id, 'data', chunks('rows'), 10);
    expect(await text((await storage.open(owner, id, 'data')).stream)).toBe('rows');
  });

  it('whose connection ends in the middle of a download is asked again', async () => {
    const id = randomUUID();
    const content = randomBytes(2 * MB);
    await storage.receive(owner, id, 'data', chunks(content), content.length);
    let breaks = 1;
    s3.fault = (request, response) => {
      if (request.method !== 'GET' || breaks-- <= 0) return false;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, MB), () => request.socket.destroy());
      return true;
    };
    const path = await storage.fileOnDisk(owner, id, 'data', sha256(content), join(folder, randomUUID()));
    expect(readFileSync(path).equals(content)).toBe(true);
    const half = async () => {
      breaks = 1;
      return text((await storage.open(owner, id, 'data')).stream);
    };
    await expect(half()).rejects.toThrow();
  });
});

describe('an upload in parts', () => {
  const content = randomBytes(17 * MB);
  const isPart = (request: IncomingMessage) => isPut(request, 'partNumber=');

  it('of which a part fails for good leaves nothing', async () => {
    s3.fault = (request, response) => isPut(request, 'partNumber=2') && refuseAsS3(response, 500, 'InternalError');
    const id = randomUUID();
    await expect(storage.receive(owner, id, 'data', chunks(content), 1e9)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect([s3.unfinished(), ownKeys('datasets_bucket')]).toEqual([0, []]);
  });

  it('that could not be given up is collected when it is old, and not before', async () => {
    s3.fault = (request, response) =>
      (isPart(request) || request.method === 'DELETE') && refuseAsS3(response, 500, 'InternalError');
    await expect(storage.receive(owner, randomUUID(), 'data', chunks(content), 1e9)).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    s3.fault = null;
    expect(s3.unfinished()).toBe(1);
    expect(await storage.collectStaging(60_000)).toBe(0);
    expect(await storage.collectStaging(-1)).toBe(1);
    expect(s3.unfinished()).toBe(0);
  });

  it('whose last answer is lost is whole', async () => {
    const id = randomUUID();
    let lost = 0;
    s3.fault = (request, response) => {
      if (request.method === 'POST' && request.url?.includes('uploadId=') && lost++ === 0)
        response.end = () => {
          request.socket.destroy();
          return response;
        };
      else if (request.method === 'POST' && request.url?.includes('uploadId=')) return refuseAsS3(response, 404, 'NoSuchUpload');
      return false;
    };
    expect(await storage.receive(owner, id, 'data', chunks(content), 1e9)).toEqual({
      bytes: content.length,
      sha256: sha256(content),
    });
    s3.fault = null;
    expect(lost).toBe(1 + 1);
    expect((await storage.open(owner, id, 'data')).bytes).toBe(content.length);
  });
});

it.each([true, false])('S3’s own checksums are sent only where they are asked for: %s', async (checksums) => {
  const seen = new Set<boolean>();
  s3.fault = (request) => {
    if (request.method === 'PUT') seen.add(request.headers['x-amz-checksum-crc32'] !== undefined);
    return false;
  };
  const chosen = s3Storage(s3.options({ checksums }), join(folder, randomUUID()));
  await chosen.receive(owner, randomUUID(), 'data', chunks('x'), 10);
  await chosen.receive(owner, randomUUID(), 'data', chunks(randomBytes(9 * MB)), 1e9);
  expect([...seen]).toEqual([checksums]);
});

describe('publishing', () => {
  it('that ends before its manifest is not seen, and done again it is whole', async () => {
    const id = randomUUID();
    const from = source({ a: '1', b: '2' });
    s3.fault = (request, response) => isPut(request, '.manifest.json') && refuseAsS3(response, 500, 'InternalError');
    await expect(storage.publishFolder(owner, id, from)).rejects.toMatchObject({ code: 'storage_unavailable' });
    s3.fault = null;
    expect(await storage.published(owner, id)).toBeNull();
    await expect(storage.folderOnDisk(owner, id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await allOf(storage)).toContainEqual(expect.objectContaining({ owner, resource_id: id }));
    const files = await storage.publishFolder(owner, id, from);
    expect(await storage.published(owner, id)).toEqual(files);
  });

  it('ends when it is not wanted any more, in the middle of a file', async () => {
    const id = randomUUID();
    const unwanted = new AbortController();
    s3.fault = (request) => {
      if (!isPut(request, 'partNumber=2')) return false;
      unwanted.abort();
      return true;
    };
    const work = storage.publishFolder(owner, id, source({ w: randomBytes(17 * MB) }), unwanted.signal);
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    s3.fault = null;
    expect([s3.unfinished(), await storage.published(owner, id)]).toEqual([0, null]);
  });
});

describe('an address that is handed out', () => {
  const FILE = 'attachment; filename="a b.txt"';
  const hosts: [string, () => Storage][] = [
    ['with the bucket in its path', () => s3Storage(s3.options({ public_endpoint: s3.url }), join(folder, randomUUID()))],
    [
      'with the bucket as its host',
      () => {
        const options = s3.virtualHost();
        return s3Storage({ ...options, public_endpoint: options.endpoint }, join(folder, randomUUID()), loopback);
      },
    ],
  ];

  it.each(hosts)('%s gives its file to a plain client, for a minute and nothing else', async (_, make) => {
    const given = make();
    const id = randomUUID();
    await given.publishFolder(owner, id, source({ 'ü.txt': '0123456789', other: 'x' }));
    const url = (await given.signedUrl(owner, id, 'ü.txt', FILE)) ?? '';
    expect(await getFromHere(url)).toMatchObject({
      status: 200,
      text: '0123456789',
      headers: { 'content-disposition': FILE, 'content-type': 'application/octet-stream', 'cache-control': 'private, no-store' },
    });
    expect(await getFromHere(url, { range: 'bytes=2-4' })).toMatchObject({ status: 206, text: '234' });
    for (const changed of [
      url.replace('=C3=9C', 'other').replace(/%3DC3%3DBC\.txt/, 'other'),
      url.replace(/X-Amz-Expires=60/, 'X-Amz-Expires=600'),
      url.replace(/X-Amz-Signature=../, 'X-Amz-Signature=00'),
      url.split('?')[0] ?? '',
    ]) {
      expect(changed).not.toBe(url);
      expect((await getFromHere(changed)).status, changed).toBe(403);
    }
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 61_000 });
    const over = (await given.signedUrl(owner, id, 'ü.txt', FILE)) ?? '';
    vi.useRealTimers();
    expect(await getFromHere(over)).toMatchObject({ status: 403, text: expect.stringContaining('expired') });
  });

  it('is not made where browsers do not reach the server', async () => {
    expect(await storage.signedUrl(owner, randomUUID(), 'a', FILE)).toBeNull();
  });
});
