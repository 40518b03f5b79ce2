import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
import { cancelTransfer } from '#/services/transfers/cancel-transfer.ts';
import { createTransfer } from '#/services/transfers/create-transfer.ts';
import { getTransfer, listTransfers, readModelProgress } from '#/services/transfers/list-transfers.ts';
import { settleModelTransfer } from '#/services/transfers/settle-model-transfer.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';
import { partBytes as bytesOfParts, startHub, type TestHub } from '../../test/hub.ts';
import { safetensors, TINY_CONFIG, tinyModelFiles, writeFolder } from '../../test/model-folder.ts';
import { fetchNextModel } from './fetch-model.ts';

const db = useDatabase();
const PINNED = { hf_revision: 'c0ffee'.padEnd(40, '0'), bytes_total: 1, files: 1 };
const wish = { hf_repo_id: 'tiny/llama', revision: 'main' };
let folder: string;
let hub: TestHub;
let files: Record<string, Buffer | string>;
let user: Context;

const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-fetch-'));
  connectStorage(localFolder(join(folder, 'storage')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  user = { user_id: await addPerson(db), role: 'user' };
  files = tinyModelFiles();
  hub = await startHub({ [wish.hf_repo_id]: files });
  env.HF_ENDPOINT = hub.url;
});
afterEach(() => hub.close());

const weightsAsked = () => hub.asked.filter(({ path }) => path.startsWith('/cdn/')).length;
const partBytes = (name: string) => bytesOfParts(join(folder, 'storage/.staging', name));
const stagingLeft = () => readdirSync(join(folder, 'storage/.staging'));

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

describe('the transfer of a model', () => {
  const large = () => safetensors({ a: [200_000] });
  const transferOf = async (ctx: Context) => {
    const { transfers } = await listTransfers(ctx, { limit: 50, offset: 0 });
    expect(transfers).toHaveLength(1);
    return transfers[0]!;
  };
  const settleAll = async () => {
    while (await settleModelTransfer());
  };
  const notices = (user_id: string) =>
    db.asOwner<{ type: string; message: string }>('SELECT type, message FROM lowrank.notifications WHERE user_id = $1', [
      user_id,
    ]);
  const addWaiting = async () => ({ user_id: await addPerson(db), role: 'user' as const });

  test('begins with its registration, is pinned, and completes with the model and a word to who asked', async () => {
    const { model } = await registerHubModel(user, wish);
    expect(await transferOf(user)).toMatchObject({ status: 'pending', base_model_id: model.id, hf_revision: null });
    await fetchNextModel();
    await settleAll();
    const bytes = Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
    expect(await transferOf(user)).toMatchObject({
      status: 'completed',
      hf_revision: hub.commit,
      bytes_done: bytes,
      bytes_total: bytes,
      files: 4,
      started_at: expect.any(Date),
      completed_at: expect.any(Date),
    });
    expect(await notices(user.user_id)).toEqual([{ type: 'transfer_completed', message: wish.hf_repo_id }]);
  });

  test('of a model that cannot be had fails with its reason', async () => {
    hub.gated = [wish.hf_repo_id];
    await registerHubModel(user, wish);
    await fetchNextModel();
    await settleAll();
    expect(await transferOf(user)).toMatchObject({ status: 'failed', error_code: 'gated_model', bytes_done: 0 });
    expect((await notices(user.user_id))[0]).toMatchObject({
      type: 'transfer_failed',
      message: expect.stringContaining('consent'),
    });
  });

  test('of a gated model brings the token of who waits with one, which is then forgotten', async () => {
    hub.gated = [wish.hf_repo_id];
    hub.tokens = ['hf_right'];
    await registerHubModel(user, wish);
    const other = await addWaiting();
    await createTransfer(other, { kind: 'model', ...wish });
    await createTransfer(other, { kind: 'model', ...wish, token: 'hf_right' });
    await fetchNextModel();
    await settleAll();
    expect(await transferOf(other)).toMatchObject({ status: 'completed', token: null });
    expect(await transferOf(user)).toMatchObject({ status: 'completed' });
    expect(new Set(hub.asked.map(({ token }) => token))).toEqual(new Set(['hf_right']));
  });

  describe('with a token that the Hub refuses', () => {
    const BAD = { kind: 'model' as const, ...wish, token: 'hf_bad' };
    const GOOD = { kind: 'model' as const, ...wish, token: 'hf_good' };
    const tokensAsked = () => [...new Set(hub.asked.map(({ token }) => token))];
    const outcomes = async (...people: Context[]) => {
      await fetchNextModel();
      await settleAll();
      return Promise.all(people.map(async (person) => (await transferOf(person)).status));
    };
    beforeEach(() => {
      hub.gated = [wish.hf_repo_id];
      hub.tokens = ['hf_good', 'hf_house'];
    });
    afterEach(() => {
      env.HF_TOKEN = undefined;
    });

    test.each(['the bad one first', 'the good one first'])(
      'fails alone, %s: who brought a good one has the model',
      async (order) => {
        const other = await addWaiting();
        const [first, second] = order.startsWith('the bad') ? [BAD, GOOD] : [GOOD, BAD];
        const { transfer } = await createTransfer(user, first);
        await createTransfer(other, second);
        const [bad, good] = first === BAD ? [user, other] : [other, user];
        if (first === GOOD) {
          // The other's bad token is not even asked for.
          expect(await outcomes(good, bad)).toEqual(['completed', 'completed']);
          expect(tokensAsked()).toEqual(['hf_good']);
        } else {
          expect(await outcomes(good, bad)).toEqual(['completed', 'failed']);
          expect(await transferOf(bad)).toMatchObject({ error_code: 'gated_model', token: null });
          expect(await notices(bad.user_id)).toEqual([
            { type: 'transfer_failed', message: expect.stringMatching(/with the token of this transfer: .*consent/) },
          ]);
        }
        expect(await notices(good.user_id)).toEqual([{ type: 'transfer_completed', message: wish.hf_repo_id }]);
        expect((await getModel(user, transfer.base_model_id ?? '')).status).toBe('ready');
      },
    );

    test('that it does not know fails alone, though what is asked for is public', async () => {
      hub.gated = [];
      hub.unknown_tokens = ['hf_bad'];
      const other = await addWaiting();
      await createTransfer(user, BAD);
      await createTransfer(other, { kind: 'model', ...wish });
      expect(await outcomes(user, other)).toEqual(['failed', 'completed']);
      expect(await transferOf(user)).toMatchObject({ error_code: 'gated_model' });
      expect(tokensAsked()).toEqual(['hf_bad', null]);
    });

    test('gives way to the installation’s own, also where nobody else waits', async () => {
      env.HF_TOKEN = 'hf_house';
      const { transfer } = await createTransfer(user, BAD);
      expect(await outcomes(user)).toEqual(['failed']);
      expect(await notices(user.user_id)).toHaveLength(1);
      expect(await getModel(user, transfer.base_model_id ?? '')).toMatchObject({ status: 'ready', hf_revision: hub.commit });
      expect(tokensAsked()).toEqual(['hf_bad', 'hf_house']);
    });

    test('for its files alone gives way to the next, which goes on at the commit that was listed', async () => {
      hub.lists_gated = true;
      const other = await addWaiting();
      await createTransfer(user, BAD);
      const { transfer } = await createTransfer(other, GOOD);
      hub.onListed = () => {
        hub.revisions = { main: 'f'.repeat(40), v1: hub.commit };
      };
      expect(await outcomes(user, other)).toEqual(['failed', 'completed']);
      expect(await getModel(other, transfer.base_model_id ?? '')).toMatchObject({ status: 'ready', hf_revision: hub.commit });
    });

    test('by all of them, the installation’s and none included, is why the model fails', async () => {
      env.HF_TOKEN = 'hf_poor';
      const [other, plain] = [await addWaiting(), await addWaiting()];
      await createTransfer(user, BAD);
      await createTransfer(other, { ...BAD, token: 'hf_worse' });
      const { transfer } = await createTransfer(plain, { kind: 'model', ...wish });
      expect(await outcomes(user, other, plain)).toEqual(['failed', 'failed', 'failed']);
      expect(tokensAsked()).toEqual(['hf_bad', 'hf_worse', 'hf_poor', null]);
      expect(await getModel(user, transfer.base_model_id ?? '')).toMatchObject({
        status: 'error',
        status_reason: { code: 'gated_model' },
      });
      expect(await fetchNextModel()).toBe(false);
      // Whoever comes back with a good one gets it.
      await createTransfer(user, GOOD);
      await fetchNextModel();
      expect((await getModel(user, transfer.base_model_id ?? '')).status).toBe('ready');
    });
  });

  test('of a model that is there completes without a byte', async () => {
    await registerHubModel(user, wish);
    await fetchNextModel();
    await settleAll();
    const other = await addWaiting();
    const asked = hub.asked.length;
    await createTransfer(other, { kind: 'model', ...wish });
    await settleAll();
    expect(await transferOf(other)).toMatchObject({ status: 'completed', hf_revision: hub.commit });
    expect(hub.asked).toHaveLength(asked);
  });

  test('tells whoever asked how far it is, and ends when the last of them has cancelled, with nothing kept', async () => {
    files['model.safetensors'] = large();
    hub.stall_after = 100_000;
    const { model } = await registerHubModel(user, wish);
    const other = await addWaiting();
    const { transfer: follower } = await createTransfer(other, { kind: 'model', ...wish });
    const stalled = hub.stalled();
    const fetching = fetchNextModel();
    await stalled;
    await expect.poll(async () => (await transferOf(other)).bytes_done, { timeout: 10_000 }).toBeGreaterThan(0);
    const mine = await transferOf(user);
    expect(mine).toMatchObject({ status: 'running', hf_revision: hub.commit, bytes_total: expect.any(Number), files: 4 });
    expect((await readModelProgress(user, [model])).get(model.id)).toEqual({
      bytes: expect.any(Number),
      bytes_total: mine.bytes_total,
    });
    const stranger = await addWaiting();
    expect((await readModelProgress(stranger, [model])).size).toBe(0);
    await expect(getTransfer(stranger, mine.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancelTransfer(stranger, mine.id)).rejects.toMatchObject({ code: 'not_found' });

    expect(await cancelTransfer(user, mine.id)).toMatchObject({ status: 'cancelled', lease_until: null });
    expect((await getModel(user, model.id)).status).toBe('fetching');
    await cancelTransfer(other, follower.id);
    expect(await fetching).toBe(true);
    expect(await getModel(user, model.id)).toMatchObject({
      status: 'error',
      status_reason: { code: 'cancelled' },
      size_bytes: null,
    });
    expect(stagingLeft()).not.toContain(`model-${model.id}`);
    expect(await fetchNextModel()).toBe(false);
  });

  test('that was cancelled before a worker came is never begun, and the next wish fetches the model', async () => {
    const { model } = await registerHubModel(user, wish);
    await cancelTransfer(user, (await transferOf(user)).id);
    expect(await fetchNextModel()).toBe(false);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'error', status_reason: { code: 'cancelled' } });
    expect(hub.asked).toEqual([]);
    expect(await registerHubModel(user, wish)).toMatchObject({ created: false, model: { id: model.id } });
    await fetchNextModel();
    expect((await getModel(user, model.id)).status).toBe('ready');
  });

  test('goes on where its worker stopped, at the commit that it was pinned to, though the branch has moved', async () => {
    const weights = large();
    files['model.safetensors'] = weights;
    hub.stall_after = 100_000;
    const { model } = await registerHubModel(user, wish);
    const stopping = new AbortController();
    const stalled = hub.stalled();
    const fetching = fetchNextModel(stopping.signal);
    await stalled;
    await expect.poll(() => partBytes(`model-${model.id}`)).toBeGreaterThan(0);
    stopping.abort();
    await fetching;
    hub.stall_after = null;
    hub.revisions = { main: 'f'.repeat(40), v1: hub.commit };
    hub.asked = [];
    await fetchNextModel();
    await settleAll();
    expect(hub.asked[0]?.path).toBe(`/api/models/${wish.hf_repo_id}/revision/${hub.commit}`);
    expect(hub.asked.at(-1)?.range).toMatch(/^bytes=\d+-$/);
    expect(await getModel(user, model.id)).toMatchObject({ status: 'ready', checksum: sha256(weights) });
    expect(await transferOf(user)).toMatchObject({ status: 'completed', hf_revision: hub.commit });
  });

  test('of a model that is deleted meanwhile is cancelled', async () => {
    const { model } = await registerHubModel(user, wish);
    await deleteModel(user, model.id);
    await settleAll();
    expect((await transferOf(user)).status).toBe('cancelled');
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
