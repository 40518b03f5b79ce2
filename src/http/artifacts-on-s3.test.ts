import type { IncomingMessage, Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DOWNLOADS_A_PERSON_MAX } from '#/domain/constants.ts';
import { s3Storage } from '#/storage/s3/s3-storage.ts';
import {
  addArtifact,
  addressOf,
  api,
  folder,
  get,
  id,
  owner,
  serveApi,
  statusOf,
  store,
  stranger,
  WEIGHTS,
  weights,
} from '../../test/artifact-scene.ts';
import { startS3 } from '../../test/s3-server.ts';
import { drain } from './web-server.ts';

describe('where the storage itself sends files', () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  let server: Server;
  let base: string;
  beforeAll(async () => {
    s3 = await startS3();
    await store(s3Storage(s3.options({ public_endpoint: s3.url }), join(folder, 'handed-out')));
    ({ server, base } = await serveApi());
  });
  afterAll(async () => {
    await drain(server);
    await s3.close();
  });

  test('a signed address leads there, for whoever follows it, with its name and its ranges', async () => {
    const answer = await get(await addressOf(id, weights().id), {});
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([303, 'private, no-store']);
    expect(answer.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/lora-models\/.*X-Amz-Expires=60&/);
    const path = `/api/artifacts/${id}/download?file=${weights().id}`;
    const followed = await fetch(base + path, { headers: { ...owner.headers, range: 'bytes=5-9' } });
    expect([followed.status, new URL(followed.url).origin, await followed.text()]).toEqual([206, s3.url, '56789']);
    expect(followed.headers.get('content-disposition')).toContain('filename="adapter_model.safetensors"');
  });

  test('HEAD is answered by us, and so is a zip', async () => {
    const head = await fetch(base + (await addressOf(id, weights().id)), { method: 'HEAD', redirect: 'manual' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(WEIGHTS.length)]);
    const zip = await fetch(base + (await addressOf(id)), { redirect: 'manual' });
    expect([zip.status, (await zip.arrayBuffer()).byteLength > WEIGHTS.length]).toEqual([200, true]);
  });

  test('an address of another user, or of what was deleted, leads nowhere', async () => {
    const other = await addArtifact();
    const address = await addressOf(other.id, other.files[0]?.id);
    expect(await statusOf(address, {})).toBe(303);
    expect(await statusOf(`/api/artifacts/${other.id}/download`, stranger.headers)).toBe(404);
    await api.request(`/api/artifacts/${other.id}`, { method: 'DELETE', headers: owner.headers });
    expect(await statusOf(address, {})).toBe(404);
  });
});

describe('where the storage is silent', () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  let server: Server;
  let base: string;
  beforeAll(async () => {
    s3 = await startS3();
    await store(s3Storage(s3.options(), join(folder, 'silent')));
    ({ server, base } = await serveApi());
  });
  afterAll(async () => {
    await drain(server);
    await s3.close();
  });

  test.each([
    ['a file', () => weights().id],
    ['a zip', () => undefined],
  ])('readers of %s who left are asked for no more, and the next one is served', async (_, file) => {
    const address = base + (await addressOf(id, file()));
    const asked: IncomingMessage[] = [];
    s3.fault = (request) => request.method === 'GET' && asked.push(request) > 0;
    const leaving = new AbortController();
    const reading = Array.from({ length: DOWNLOADS_A_PERSON_MAX }, async () =>
      (await fetch(address, { signal: leaving.signal })).arrayBuffer(),
    );
    const ended = Promise.allSettled(reading);
    const waited = { timeout: 20_000 };
    await expect.poll(() => asked.length, waited).toBe(DOWNLOADS_A_PERSON_MAX);
    expect((await fetch(address)).status).toBe(429);
    leaving.abort();
    expect((await ended).map(({ status }) => status)).toEqual(reading.map(() => 'rejected'));
    await expect.poll(() => asked.filter(({ socket }) => !socket.destroyed).length, waited).toBe(0);
    s3.fault = null;
    expect((await (await fetch(address)).arrayBuffer()).byteLength).toBeGreaterThanOrEqual(WEIGHTS.length);
    expect(asked).toHaveLength(DOWNLOADS_A_PERSON_MAX);
  });

  test('a zip of which a file breaks off does not wait for the rest of it', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    s3.fault = (request, response) => {
      if (request.method !== 'GET') return false;
      response.writeHead(200, { 'content-length': WEIGHTS.length });
      response.write(WEIGHTS.slice(0, 1000), () => request.socket.destroy());
      return true;
    };
    const read = async () => (await fetch(base + (await addressOf(id)))).arrayBuffer();
    await expect(read()).rejects.toThrow();
    s3.fault = null;
    expect((await read()).byteLength).toBeGreaterThan(WEIGHTS.length);
  });
});

test('a storage that is away is told as that, and when to come again', async () => {
  const s3 = await startS3();
  await store(s3Storage(s3.options(), join(folder, 'away')));
  const address = await addressOf(id, weights().id);
  await s3.close();
  const answer = await get(address, {});
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await answer.json()).toMatchObject({ code: 'storage_unavailable' });
});
