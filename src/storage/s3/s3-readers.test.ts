// Readers of files on an S3 server who take nothing, or have gone: whose way they stand in.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DOWNLOADS_MAX } from '#/domain/constants.ts';
import { startS3, type TestS3 } from '../../../test/s3-server.ts';
import type { Storage } from '../storage.ts';
import { s3Storage } from './s3-storage.ts';

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

let folder: string;
let s3: TestS3;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-s3-readers-'));
  s3 = await startS3();
});
afterAll(async () => {
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  s3.fault = null;
});

describe('with as many readers as there may be', () => {
  let storage: Storage;
  let owner: string;
  let id: string;
  beforeEach(async () => {
    storage = s3Storage(s3.options(), join(folder, randomUUID()));
    owner = randomUUID();
    id = randomUUID();
    await storage.receive(owner, id, 'data', chunks('rows'), 10);
  });
  const open = (signal?: AbortSignal) => storage.open(owner, id, 'data', undefined, signal);
  const all = <T>(make: () => T): T[] => Array.from({ length: DOWNLOADS_MAX }, make);

  it('who take nothing, everything but reading goes on', async () => {
    s3.fault = (request, response) => {
      if (request.method !== 'GET' || !request.url?.includes(id)) return false;
      response.writeHead(200, { 'content-length': 1e9 }).write('x');
      return true;
    };
    const opened = await Promise.all(all(() => open()));
    const [dataset, artifact] = [randomUUID(), randomUUID()];
    const source = mkdtempSync(join(folder, 'source-'));
    writeFileSync(join(source, 'a'), '1');
    await storage.receive(owner, dataset, 'data', chunks('rows'), 10);
    const files = await storage.publishFolder(owner, artifact, source);
    expect(await storage.published(owner, artifact)).toEqual(files);
    expect(await storage.folderOnDisk(owner, artifact)).toContain(artifact);
    await storage.remove(owner, artifact);
    expect(await storage.published(owner, artifact)).toBeNull();
    for (const { stream } of opened) stream.destroy();
    s3.fault = null;
    expect(await text((await open()).stream)).toBe('rows');
  });

  it('who all leave while the server is silent, it is asked for nothing more, and the next one is served', async () => {
    const asked: IncomingMessage[] = [];
    s3.fault = (request) => asked.push(request) > 0;
    const leaving = new AbortController();
    // As many again wait for a connection.
    const ended = Promise.allSettled([...all(() => open(leaving.signal)), ...all(() => open(leaving.signal))]);
    const waited = { timeout: 20_000 };
    await expect.poll(() => asked.length, waited).toBe(DOWNLOADS_MAX);
    const still = () => asked.filter(({ socket }) => !socket.destroyed).length;
    expect(still()).toBe(DOWNLOADS_MAX);
    leaving.abort();
    const names = (await ended).map((one) => one.status === 'rejected' && (one.reason as Error).name);
    expect(new Set(names)).toEqual(new Set(['AbortError']));
    await expect.poll(still, waited).toBe(0);
    s3.fault = null;
    expect(await text((await open()).stream)).toBe('rows');
    expect(asked).toHaveLength(DOWNLOADS_MAX);
  });
});
