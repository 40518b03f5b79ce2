import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Artifact } from '#/contract/artifacts.ts';
import { DOWNLOADS_A_PERSON_MAX } from '#/domain/constants.ts';
import { writeDownloadToken } from '#/services/artifacts/download-token.ts';
import { downloadKey } from '#/storage/download-key.ts';
import { type PublishedFile, storageKey } from '#/storage/storage.ts';
import {
  addArtifact,
  addressOf,
  api,
  db,
  files,
  folder,
  get,
  id,
  job_id,
  owner,
  serveApi,
  statusOf,
  store,
  stranger,
  WEIGHTS,
  weights,
} from '../../test/artifact-scene.ts';
import { STORAGES, type TestStorage } from '../../test/storages.ts';
import { drain } from './web-server.ts';

describe.each(STORAGES)('on %s', (_, make) => {
  let stored: TestStorage;
  beforeAll(async () => {
    stored = await make(mkdtempSync(join(folder, 'kind-')));
    await store(stored.storage);
  });
  afterAll(() => stored.end());

  describe('an artifact', () => {
    test('is read by its owner with passport and lines that load it, and never says where it lies', async () => {
      const one = (await (await get(`/api/artifacts/${id}`)).json()) as Artifact;
      const list = (await (await get('/api/artifacts?limit=1')).json()) as { artifacts: Artifact[]; total: number };
      const of_job = (await (await get(`/api/jobs/${job_id}/artifacts`)).json()) as { data: { artifacts: Artifact[] } };
      expect(list.artifacts).toEqual([one]);
      expect(of_job.data.artifacts).toEqual([one]);
      expect(one).toMatchObject({
        id,
        job_id,
        kind: 'adapter',
        passport: { seed: 42 },
        storage_path: storageKey(owner.user_id, id),
      });
      expect(one.loading.text).toContain(`BASE = "a/b"\n`);
      expect(one.loading.text).toContain(`from_pretrained(BASE, revision="${'c'.repeat(40)}"`);
      expect(one.loading.text).toContain(`ADAPTER = "my-uni-run-${id.slice(0, 8)}"\n`);
      expect(JSON.stringify(one)).not.toContain(folder);
    });

    test('of another user is not found, and neither is its job, its file or its download', async () => {
      for (const path of [
        `/api/artifacts/${id}`,
        `/api/jobs/${job_id}/artifacts`,
        `/api/artifacts/${id}/download`,
        `/api/artifacts/${id}/download?file=${weights().id}`,
      ])
        expect([path, await statusOf(path, stranger.headers)]).toEqual([path, 404]);
      expect((await api.request(`/api/artifacts/${id}`, { method: 'DELETE', headers: stranger.headers })).status).toBe(404);
      expect(await (await get('/api/artifacts', stranger.headers)).json()).toMatchObject({ artifacts: [], total: 0 });
    });

    test('deleted is gone at once, with every address that was signed for it', async () => {
      const other = await addArtifact();
      const address = await addressOf(other.id);
      expect(await statusOf(address, {})).toBe(200);
      expect((await api.request(`/api/artifacts/${other.id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(204);
      expect((await api.request(`/api/artifacts/${other.id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(404);
      expect(await statusOf(address, {})).toBe(404);
      expect(await statusOf(`/api/artifacts/${other.id}`)).toBe(404);
    });

    test('that was deleted is restored within 30 days with its files and its place, and only by its owner', async () => {
      const other = await addArtifact();
      const path = `/api/artifacts/${other.id}`;
      const restore = (headers: Record<string, string>) => api.request(`${path}/restore`, { method: 'POST', headers });
      const ofJob = async () =>
        ((await (await get(`/api/jobs/${other.job_id}/artifacts`)).json()) as { data: { artifacts: Artifact[] } }).data.artifacts;
      const [before] = await ofJob();
      const address = await addressOf(other.id);
      const untouched = await restore(owner.headers);
      expect([untouched.status, await untouched.json()]).toEqual([409, expect.objectContaining({ code: 'conflict' })]);
      await api.request(path, { method: 'DELETE', headers: owner.headers });
      expect(await ofJob()).toEqual([]);
      expect((await restore(stranger.headers)).status).toBe(404);
      expect(await statusOf(path)).toBe(404);
      const answer = await restore(owner.headers);
      expect([answer.status, await answer.json()]).toEqual([200, before]);
      expect(await ofJob()).toEqual([before]);
      expect([await statusOf(path), await statusOf(address, {})]).toEqual([200, 200]);
    });

    test('that is gone for good or was never there is not restored', async () => {
      const restore = (of: string) => api.request(`/api/artifacts/${of}/restore`, { method: 'POST', headers: owner.headers });
      const other = await addArtifact();
      await db.asOwner('UPDATE lowrank.model_artifacts SET deleted_at = now(), purged_at = now() WHERE id = $1', [other.id]);
      expect([(await restore(other.id)).status, (await restore(randomUUID())).status]).toEqual([404, 404]);
    });

    test('that was deleted is not restored beyond the quota', async () => {
      const other = await addArtifact();
      await db.asOwner('UPDATE lowrank.model_artifacts SET deleted_at = now(), size = 5000000000000 WHERE id = $1', [other.id]);
      const answer = await api.request(`/api/artifacts/${other.id}/restore`, { method: 'POST', headers: owner.headers });
      expect([answer.status, await answer.json()]).toEqual([413, expect.objectContaining({ code: 'quota_exceeded' })]);
      expect(await statusOf(`/api/artifacts/${other.id}`)).toBe(404);
    });
  });

  describe('a signed address', () => {
    test('gives the file to whoever has it, as an attachment that runs nothing and is kept nowhere', async () => {
      const answer = await get(await addressOf(id, weights().id), {});
      expect(answer.status).toBe(200);
      expect(
        createHash('sha256')
          .update(new Uint8Array(await answer.arrayBuffer()))
          .digest('hex'),
      ).toBe(weights().sha256);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        etag: `"${weights().sha256}"`,
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="adapter_model.safetensors"; filename*=UTF-8''adapter_model.safetensors`,
        'cache-control': 'private, no-store',
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining('sandbox'),
      });
    });

    test('names a file by RFC 6266 whatever its name holds', async () => {
      const odd = files.find((file) => file.path.startsWith('sub/')) as PublishedFile;
      const answer = await get(await addressOf(id, odd.id), {});
      await answer.body?.cancel();
      expect(answer.headers.get('content-disposition')).toBe(
        `attachment; filename="_n_code__x_.json"; filename*=UTF-8''%C3%9Cn%C3%AFcode%20%22x%22.json`,
      );
    });

    test('is for one file by its id: no path, no other id', async () => {
      for (const file of [randomUUID(), '../manifest.json', 'adapter_model.safetensors', ''])
        expect(await statusOf(`/api/artifacts/${id}/download?file=${encodeURIComponent(file)}`)).toBeGreaterThanOrEqual(400);
    });

    test('is nothing once its time is over, for another user, or with a changed character', async () => {
      const key = await downloadKey();
      const grant = { user_id: owner.user_id, artifact_id: id, file_id: weights().id, expires_at: Date.now() + 60_000 };
      const good = writeDownloadToken(key, grant);
      expect(await statusOf(`/api/downloads/${good}`, {})).toBe(200);
      const bad = [
        writeDownloadToken(key, { ...grant, expires_at: Date.now() - 1 }),
        writeDownloadToken(key, { ...grant, user_id: stranger.user_id }),
        writeDownloadToken(key, { ...grant, artifact_id: randomUUID() }),
        writeDownloadToken(key, { ...grant, file_id: randomUUID() }),
        `${good.slice(0, 20)}A${good.slice(21)}`,
        'nonsense',
      ];
      for (const token of bad) expect(await statusOf(`/api/downloads/${token}`, owner.headers)).toBe(404);
      expect((await api.request(`/api/downloads/${good}`, { method: 'POST', headers: owner.headers })).status).toBe(405);
    });

    test('is nothing for somebody who was locked out meanwhile', async () => {
      const grant = { user_id: owner.user_id, artifact_id: id, file_id: weights().id, expires_at: Date.now() + 60_000 };
      const address = `/api/downloads/${writeDownloadToken(await downloadKey(), grant)}`;
      const lockOut = (at: string | null) =>
        db.asOwner('UPDATE identity.users SET disabled_at = $2 WHERE id = $1', [owner.user_id, at]);
      await lockOut('now');
      expect(await statusOf(address, {})).toBe(404);
      await lockOut(null);
      expect(await statusOf(address, {})).toBe(200);
    });

    test('lasts at most a quarter of an hour', async () => {
      const { expires_at } = (await (await get(`/api/artifacts/${id}/download`)).json()) as { expires_at: string };
      expect(Date.parse(expires_at)).toBeLessThanOrEqual(Date.now() + 15 * 60_000);
    });
  });

  describe('downloads under way', () => {
    let addresses: string[];
    beforeAll(async () => {
      addresses = [await addressOf(id, weights().id), await addressOf(id)];
    });
    const begin = async (count: number, which = addresses) => {
      const answers: Response[] = [];
      for (let at = 0; at < count; at++) answers.push(await get(which[at % which.length] ?? '', {}));
      return answers;
    };
    const cancel = (answers: Response[]) => Promise.all(answers.map((answer) => answer.body?.cancel()));

    test('are a few for one person, who is told what to do; HEAD and others go on, and one that ends makes room', async () => {
      const begun = await begin(DOWNLOADS_A_PERSON_MAX);
      try {
        expect(begun.map(({ status }) => status)).toEqual(begun.map(() => 200));
        for (const address of addresses) {
          const refused = await get(address, {});
          expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
          expect(await refused.json()).toMatchObject({
            code: 'rate_limited',
            error: expect.stringMatching(`^${DOWNLOADS_A_PERSON_MAX} downloads of yours .* let one end or break it off`),
          });
          expect((await api.request(address, { method: 'HEAD' })).status).toBe(200);
        }
        expect(await statusOf(await theirAddress(), {})).toBe(200);
        await begun.pop()?.arrayBuffer();
        begun.push(...(await begin(1)));
        expect([begun.at(-1)?.status, await statusOf(addresses[0] ?? '', {})]).toEqual([200, 429]);
      } finally {
        await cancel(begun);
      }
      expect(await statusOf(addresses[0] ?? '', {})).toBe(200);
    });

    /** A download of somebody else's artifact. */
    const theirAddress = async () => {
      const other = await addArtifact(WEIGHTS, stranger);
      return await addressOf(other.id, undefined, stranger.headers);
    };

    test('that are taken, left, broken off or refused leave nothing behind', async () => {
      vi.spyOn(console, 'error').mockImplementation(() => undefined);
      const lost = await addArtifact();
      stored.lose(owner.user_id, lost.id, 'adapter_model.safetensors');
      const lost_weights = lost.files.find((file) => file.path === 'adapter_model.safetensors');
      const [lost_file, lost_zip] = [await addressOf(lost.id, lost_weights?.id), await addressOf(lost.id)];
      const [file = '', zip = ''] = addresses;
      const endings: [string, () => Promise<unknown>, unknown][] = [
        ['taken', async () => (await (await get(file, {})).text()).length, WEIGHTS.length],
        [
          'taken whole',
          async () => (await get(zip, {})).arrayBuffer().then(({ byteLength }) => byteLength > WEIGHTS.length),
          true,
        ],
        ['left', () => statusOf(file, {}), 200],
        ['left as a zip', () => statusOf(zip, {}), 200],
        ['not there', () => statusOf(lost_file, {}), 404],
        ['broken off', async () => (await get(lost_zip, {})).arrayBuffer().catch(() => 'broken off'), 'broken off'],
        ['known', () => statusOf(file, { 'if-none-match': `"${weights().sha256}"` }), 304],
        ['out of range', () => statusOf(file, { range: `bytes=${WEIGHTS.length}-` }), 416],
      ];
      for (const [name, end, told] of endings)
        for (let turn = 0; turn <= DOWNLOADS_A_PERSON_MAX; turn++) expect([name, await end()]).toEqual([name, told]);
    });
  });

  describe('over a socket', () => {
    let server: Server;
    let base: string;
    beforeAll(async () => {
      ({ server, base } = await serveApi());
    });
    afterAll(() => drain(server));

    test.each<[string, Record<string, string>, number, string | null, string]>([
      ['the whole', {}, 200, null, WEIGHTS],
      ['a part', { range: 'bytes=5-9' }, 206, 'bytes 5-9/300000', '56789'],
      ['the end', { range: 'bytes=-3' }, 206, 'bytes 299997-299999/300000', '789'],
      ['the rest', { range: 'bytes=299995-' }, 206, 'bytes 299995-299999/300000', '56789'],
      ['what lies outside', { range: 'bytes=300000-' }, 416, 'bytes */300000', ''],
      ['a range that cannot be read', { range: 'lines=1-2' }, 200, null, WEIGHTS],
      ['a part of a file that changed', { range: 'bytes=5-9', 'if-range': '"other"' }, 200, null, WEIGHTS],
      ['a part if it is still the same', { range: 'bytes=5-9', 'if-range': 'ETAG' }, 206, 'bytes 5-9/300000', '56789'],
      ['what is known', { 'if-none-match': 'W/"x", ETAG' }, 304, null, ''],
      ['what is known otherwise', { 'if-none-match': '"x"' }, 200, null, WEIGHTS],
    ])('%s is answered', async (_, asked, status, content_range, body) => {
      const address = base + (await addressOf(id, weights().id));
      const headers = Object.fromEntries(
        Object.entries(asked).map(([name, value]) => [name, value.replace('ETAG', `"${weights().sha256}"`)]),
      );
      const answer = await fetch(address, { headers });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([status, content_range]);
      if (status === 416)
        expect(await answer.json()).toMatchObject({ code: 'range_not_satisfiable', request_id: expect.any(String) });
      else expect(await answer.text()).toBe(body);
      const head = await fetch(address, { method: 'HEAD', headers });
      expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
        status,
        status < 300 ? String(body.length) : head.headers.get('content-length'),
        '',
      ]);
    });

    test('the download of a key is followed to the file', async () => {
      const answer = await fetch(`${base}/api/artifacts/${id}/download?file=${weights().id}`, { headers: owner.headers });
      expect([answer.status, answer.redirected, (await answer.text()) === WEIGHTS]).toEqual([200, true, true]);
    });

    test('all files and the passport come as one zip that other programs open', async () => {
      const answer = await fetch(base + (await addressOf(id)));
      const name = `my-uni-run-${id.slice(0, 8)}`;
      expect(answer.headers.get('content-disposition')).toContain(`filename="${name}.zip"`);
      writeFileSync(join(folder, 'all.zip'), Buffer.from(await answer.arrayBuffer()));
      execFileSync('python3', ['-m', 'zipfile', '-e', join(folder, 'all.zip'), join(folder, 'unzipped')]);
      expect(readFileSync(join(folder, 'unzipped', name, 'adapter_model.safetensors'), 'utf8')).toBe(WEIGHTS);
      expect(readFileSync(join(folder, 'unzipped', name, 'sub/Ünïcode "x".json'), 'utf8')).toBe('{}');
      expect(JSON.parse(readFileSync(join(folder, 'unzipped', name, 'passport.json'), 'utf8'))).toEqual({ seed: 42 });
    });

    test('readers whose connections end make room for the next', async () => {
      // More than all buffers on the way take.
      const large = await addArtifact('x'.repeat(16_000_000));
      const address = base + (await addressOf(large.id));
      const waited = { timeout: 20_000 };
      for (let turn = 0; turn < 3; turn++) {
        const leaving = new AbortController();
        const reading = await Promise.all(
          Array.from({ length: DOWNLOADS_A_PERSON_MAX }, () => fetch(address, { signal: leaving.signal })),
        );
        expect(reading.map(({ status }) => status)).toEqual(reading.map(() => 200));
        expect((await fetch(address)).status).toBe(429);
        leaving.abort();
        await expect.poll(async () => statusOf(await addressOf(id), {}), waited).toBe(200);
      }
    });

    test('a zip of which a file cannot be read breaks off and does not pass for whole', async () => {
      const other = await addArtifact();
      stored.lose(owner.user_id, other.id, 'sub/Ünïcode "x".json');
      vi.spyOn(console, 'error').mockImplementation(() => undefined);
      const read = async () => (await fetch(base + (await addressOf(other.id)))).arrayBuffer();
      await expect(read()).rejects.toThrow();
    });
  });
});
