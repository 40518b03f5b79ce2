import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { deleteModel } from '#/services/models/delete-model.ts';
import { getModel } from '#/services/models/list-models.ts';
import { registerHubModel } from '#/services/models/register-hub-model.ts';
import { cancelTransfer } from '#/services/transfers/cancel-transfer.ts';
import { createTransfer } from '#/services/transfers/create-transfer.ts';
import { getTransfer, listTransfers, readModelProgress } from '#/services/transfers/list-transfers.ts';
import { settleModelTransfer } from '#/services/transfers/settle-model-transfer.ts';
import { addPerson } from '../../test/factories.ts';
import { db, files, hub, partBytes, sha256, stagingLeft, user, wish } from '../../test/model-fetch-scene.ts';
import { safetensors } from '../../test/model-folder.ts';
import { fetchNextModel } from './fetch-model.ts';

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
