import { beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '#/services/context.ts';
import { useDatabase } from '../../../test/database.ts';
import { addPerson } from '../../../test/factories.ts';
import { claimModelFetch } from './fetch-claim.ts';
import { listModels } from './list-models.ts';
import { registerHubModel } from './register-hub-model.ts';

const db = useDatabase();
let admin: Context;
let user: Context;
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  admin = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' };
  user = { user_id: await addPerson(db), role: 'user' };
});

describe('a Hub model', () => {
  const wish = { hf_repo_id: 'tiny/llama', revision: 'main' };

  test('waits for its fetch, once however often it is asked for', async () => {
    const answers = await Promise.all([
      registerHubModel(user, wish),
      registerHubModel(admin, wish),
      registerHubModel(user, wish),
    ]);
    expect(new Set(answers.map((answer) => answer.model.id)).size).toBe(1);
    expect(answers[0]?.model).toMatchObject({
      status: 'fetching',
      name: 'tiny/llama',
      hf_requested_revision: 'main',
      hf_revision: null,
    });
    expect((await registerHubModel(user, { ...wish, revision: 'v1' })).created).toBe(true);
  });

  test('is answered under the commit that it is pinned to', async () => {
    const { model: row } = await registerHubModel(user, wish);
    await db.asOwner(`UPDATE lowrank.base_models SET status = 'ready', hf_revision = $2 WHERE id = $1`, [row.id, 'c'.repeat(40)]);
    expect((await registerHubModel(user, { ...wish, revision: 'c'.repeat(40) })).model.id).toBe(row.id);
  });

  test('that failed is tried again by its importer, anew by another', async () => {
    const { model: row } = await registerHubModel(user, wish);
    await db.asOwner(
      `UPDATE lowrank.base_models SET status = 'error', status_reason = '{"code":"gated_model","message":"x"}', attempts = 3 WHERE id = $1`,
      [row.id],
    );
    expect((await registerHubModel(admin, wish)).model.id).not.toBe(row.id);
    await db.asOwner('DELETE FROM lowrank.base_models WHERE id <> $1', [row.id]);
    expect((await registerHubModel(user, wish)).model).toMatchObject({
      id: row.id,
      status: 'fetching',
      status_reason: null,
      attempts: 0,
    });
  });

  test('is refused when its importer has no room left', async () => {
    await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', '0.0000000001')`);
    await expect(registerHubModel(user, wish)).rejects.toMatchObject({ code: 'quota_exceeded' });
    await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'user_quota_gb'`);
  });

  test('is claimed by one worker, and given up on when its fetch ends the worker every time', async () => {
    await registerHubModel(user, wish);
    const claims = await Promise.all([claimModelFetch(), claimModelFetch(), claimModelFetch()]);
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    for (let attempt = 2; attempt <= 4; attempt++) {
      await db.asOwner(`UPDATE lowrank.base_models SET lease_until = now() - interval '1 s'`);
      const claim = await claimModelFetch();
      expect(claim?.model.attempts).toBe(attempt <= 3 ? attempt : undefined);
    }
    expect((await listModels(user, { limit: 1, offset: 0 })).models[0]).toMatchObject({
      status: 'error',
      status_reason: { code: 'internal' },
    });
  });
});
