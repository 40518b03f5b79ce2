import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
import { storage } from '#/storage/connect-storage.ts';
import { addPerson } from '../../test/factories.ts';
import { db, files, folder, hub, sha256, stagingLeft, user, weightsAsked, wish } from '../../test/model-fetch-scene.ts';
import { safetensors, TINY_CONFIG, writeFolder } from '../../test/model-folder.ts';
import { fetchNextModel } from './fetch-model.ts';

const PINNED = { hf_revision: 'c0ffee'.padEnd(40, '0'), bytes_total: 1, files: 1 };

describe('a model of the Hub', () => {
  test('is fetched, pinned, read and ready, and counts against its importer', async () => {
    const { model } = await registerHubModel(user, wish);
    expect(await fetchNextModel()).toBe(true);
    const weights = files['model.safetensors'] as Buffer;
    expect(await getModel(user, model.id)).toMatchObject({
      status: 'ready',
      trainable: true,
      hf_revision: hub.commit,
      params: 820,
      checksum: sha256(weights),
      storage_path: `shared/${model.id}`,
      lease_until: null,
    });
    const { path, id, revision } = await modelFolder(model.id);
    expect([id, revision]).toEqual([wish.hf_repo_id, hub.commit]);
    expect(readFileSync(join(path, 'model.safetensors'))).toEqual(weights);
    expect(stagingLeft()).toEqual([]);
    expect((await asUser(user.user_id, (tx) => storageUsage(tx, user.user_id))).bytes).toBe(weights.length);
    expect(await fetchNextModel()).toBe(false);
  });

  test('has the licence that its card names', async () => {
    files['README.md'] = '---\nlicense: other\nlicense_name: tiny-licence\n---\n# Tiny';
    const { model } = await registerHubModel(user, wish);
    expect(await fetchNextModel()).toBe(true);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'ready', license: 'other (tiny-licence)' });
  });

  test('is not fetched a second time when the worker was killed before it could say so', async () => {
    const { model } = await registerHubModel(user, wish);
    const killed = await claimModelFetch();
    if (killed === null) throw new Error('nothing was claimed');
    await pinModel(killed.model, PINNED);
    await storage().publishStaged('shared', model.id, writeFolder(await storage().stagingFolder(`model-${model.id}`), files));
    await db.asOwner(`UPDATE lowrank.base_models SET lease_until = now() - interval '1 s'`);
    expect(await fetchNextModel()).toBe(true);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'ready', hf_revision: hub.commit });
    expect(hub.asked).toEqual([]);
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
    ['is gated', 'gated_model', () => (hub.refuse = { status: 403, code: 'GatedRepo' })],
    ['does not exist', 'model_not_found', () => (hub.refuse = { status: 404, code: 'RepoNotFound' })],
    [
      'has pickled weights',
      'unsafe_model_format',
      () => (hub.repos[wish.hf_repo_id] = { 'config.json': JSON.stringify(TINY_CONFIG), 'pytorch_model.bin': 'x' }),
    ],
    [
      'brings its own code',
      'remote_code_not_allowed',
      () => (files['config.json'] = JSON.stringify({ ...TINY_CONFIG, auto_map: { A: 'b' } })),
    ],
    [
      'has NUL in a fact of its config',
      'invalid_config',
      () => (files['config.json'] = JSON.stringify({ ...TINY_CONFIG, model_type: 'll\u0000ama' })),
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
    await expect(pinModel(claim!.model, PINNED)).rejects.toMatchObject({ code: 'fenced' });
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
    checksum: sha256(weights),
    storage_path: null,
  });
  const again = await registerLocalModel(admin, { path });
  expect(again).toMatchObject({ created: false, model: { id: model.id } });
  env.LOWRANK_MODEL_FOLDERS = [];
});
