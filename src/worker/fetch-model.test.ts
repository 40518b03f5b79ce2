import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { deleteModel } from '#/services/models/delete-model.ts';
import { claimModelFetch, pinModel } from '#/services/models/fetch-claim.ts';
import { getModel } from '#/services/models/list-models.ts';
import { modelFolder } from '#/services/models/model-folder.ts';
import { registerHubModel } from '#/services/models/register-hub-model.ts';
import { registerLocalModel } from '#/services/models/register-local-model.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';
import { safetensors, TINY_CONFIG, tinyModelFiles, writeFolder } from '../../test/model-folder.ts';
import { fetchNextModel } from './fetch-model.ts';

const db = useDatabase();
const COMMIT = 'c0ffee'.padEnd(40, '0');
const wish = { hf_repo_id: 'tiny/llama', revision: 'main' };
let folder: string;
let hub: Server;
let files: Record<string, Buffer | string>;
let asked: string[];
let refuse: { status: number; code: string } | null;
let user: Context;

const sha = (algorithm: string, ...parts: (Buffer | string)[]) => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-fetch-'));
  connectStorage(localFolder(join(folder, 'storage')));
  hub = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push(path);
    const name = path.split('/').pop() ?? '';
    if (refuse !== null) response.writeHead(refuse.status, { 'x-error-code': refuse.code }).end('{}');
    else if (path.startsWith('/api/models/')) {
      const siblings = Object.entries(files).map(([rfilename, content]) => {
        const size = Buffer.byteLength(content);
        return {
          rfilename,
          size,
          blobId: sha('sha1', `blob ${size}\0`, content),
          ...(rfilename.endsWith('.safetensors') && { lfs: { size, sha256: sha('sha256', content), pointerSize: 1 } }),
        };
      });
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ id: wish.hf_repo_id, sha: COMMIT, siblings, tags: [], private: false }));
    } else if (path === `/${wish.hf_repo_id}/resolve/${COMMIT}/${name}` && files[name] !== undefined) response.end(files[name]);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  env.HF_ENDPOINT = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
});
afterAll(() => {
  hub.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  user = { user_id: await addPerson(db), role: 'user' };
  files = tinyModelFiles();
  asked = [];
  refuse = null;
});

const weightsAsked = () => asked.filter((path) => path.endsWith('.safetensors')).length;
const stagingLeft = () => readdirSync(join(folder, 'storage/.staging'));

describe('a model of the Hub', () => {
  test('is fetched, pinned, read and ready, and counts against its importer', async () => {
    const { model } = await registerHubModel(user, wish);
    expect(await fetchNextModel()).toBe(true);
    const weights = files['model.safetensors'] as Buffer;
    expect(await getModel(user, model.id)).toMatchObject({
      status: 'ready',
      trainable: true,
      hf_revision: COMMIT,
      params: 820,
      checksum: sha('sha256', weights),
      storage_path: `shared/${model.id}`,
      lease_until: null,
    });
    const { path, id, revision } = await modelFolder(model.id);
    expect([id, revision]).toEqual([wish.hf_repo_id, COMMIT]);
    expect(readFileSync(join(path, 'model.safetensors'))).toEqual(weights);
    expect(stagingLeft()).toEqual([]);
    expect((await asUser(user.user_id, (tx) => storageUsage(tx, user.user_id))).bytes).toBe(weights.length);
    expect(await fetchNextModel()).toBe(false);
  });

  test('is not fetched a second time when the worker was killed before it could say so', async () => {
    const { model } = await registerHubModel(user, wish);
    const killed = await claimModelFetch();
    if (killed === null) throw new Error('nothing was claimed');
    await pinModel(killed.model, COMMIT, 1);
    await storage().publishStaged('shared', model.id, writeFolder(await storage().stagingFolder(`model-${model.id}`), files));
    await db.asOwner(`UPDATE lowrank.base_models SET lease_until = now() - interval '1 s'`);
    expect(await fetchNextModel()).toBe(true);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'ready', hf_revision: COMMIT });
    expect(asked).toEqual([]);
  });

  test('goes on with what an earlier attempt left', async () => {
    const { model } = await registerHubModel(user, wish);
    const staged = await storage().stagingFolder(`model-${model.id}`);
    writeFileSync(join(staged, 'model.safetensors'), files['model.safetensors'] as Buffer);
    await fetchNextModel();
    expect((await getModel(user, model.id)).status).toBe('ready');
    expect(weightsAsked()).toBe(0);
  });

  test.each<[string, string, () => void]>([
    ['is gated', 'gated_model', () => (refuse = { status: 403, code: 'GatedRepo' })],
    ['does not exist', 'model_not_found', () => (refuse = { status: 404, code: 'RepoNotFound' })],
    [
      'has pickled weights',
      'unsafe_model_format',
      () => (files = { 'config.json': JSON.stringify(TINY_CONFIG), 'pytorch_model.bin': 'x' }),
    ],
    [
      'brings its own code',
      'remote_code_not_allowed',
      () => (files['config.json'] = JSON.stringify({ ...TINY_CONFIG, auto_map: { A: 'b' } })),
    ],
    ['has broken weights', 'invalid_safetensors', () => (files['model.safetensors'] = 'not safetensors')],
  ])('that %s ends in error as %s, with nothing kept', async (_, code, spoil) => {
    spoil();
    const { model } = await registerHubModel(user, wish);
    expect(await fetchNextModel()).toBe(true);
    expect(await getModel(user, model.id)).toMatchObject({
      status: 'error',
      status_reason: { code, message: expect.any(String) },
      trainable: false,
      size_bytes: null,
    });
    expect(existsSync(join(folder, 'storage/shared', model.id))).toBe(false);
    expect(await fetchNextModel()).toBe(false);
  });

  test('that does not fit into the quota is refused before its weights', async () => {
    const { model } = await registerHubModel(user, wish);
    files['model.safetensors'] = safetensors({ a: [2000] });
    await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', '0.000001')`);
    await fetchNextModel();
    await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'user_quota_gb'`);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'error', status_reason: { code: 'too_large' } });
    expect(weightsAsked()).toBe(0);
  });

  test('is left to the next worker by one that stops', async () => {
    const { model } = await registerHubModel(user, wish);
    expect(await fetchNextModel(AbortSignal.abort())).toBe(true);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'fetching', lease_until: null, attempts: 0 });
    await fetchNextModel();
    expect((await getModel(user, model.id)).status).toBe('ready');
  });

  test('is nobody’s any more when it is deleted meanwhile: what fetches it writes nothing', async () => {
    const { model } = await registerHubModel(user, wish);
    const claim = await claimModelFetch();
    await deleteModel(user, model.id);
    await expect(pinModel(claim!.model, COMMIT, 1)).rejects.toMatchObject({ code: 'fenced' });
    expect(await claimModelFetch()).toBeNull();
  });

  test('is fetched with a token that no argument holds', async () => {
    env.HF_TOKEN = 'hf_canaryCanary1234';
    const seen: string[] = [];
    const watch = setInterval(() => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          if (line.includes('lora_trainer.fetch')) seen.push(line);
        } catch {
          // Ended between the listing and the look.
        }
      }
    }, 20);
    const { model } = await registerHubModel(user, wish);
    await fetchNextModel();
    clearInterval(watch);
    env.HF_TOKEN = undefined;
    expect((await getModel(user, model.id)).status).toBe('ready');
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.join('')).not.toContain('canary');
  });
});

test('a large local model is summed where it lies', async () => {
  const allowed = join(folder, 'allowed');
  mkdirSync(allowed);
  env.LOWRANK_MODEL_FOLDERS = [allowed];
  const weights = safetensors({ a: [35_000_000] });
  const path = writeFolder(join(allowed, 'large'), { ...files, 'model.safetensors': weights });
  const admin: Context = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' };
  const { model } = await registerLocalModel(admin, { path });
  expect(model.status).toBe('fetching');
  expect(await fetchNextModel()).toBe(true);
  expect(await getModel(admin, model.id)).toMatchObject({
    status: 'ready',
    checksum: sha('sha256', weights),
    storage_path: null,
  });
  const again = await registerLocalModel(admin, { path });
  expect(again).toMatchObject({ created: false, model: { id: model.id } });
  env.LOWRANK_MODEL_FOLDERS = [];
});
