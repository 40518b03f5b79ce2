import { beforeEach, describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { NO_WISHES, type TrainingSpec } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { createJob } from '#/services/jobs/create-job.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from '../../../test/factories.ts';
import { deleteModel } from './delete-model.ts';
import { getModel } from './list-models.ts';

const db = useDatabase();
let importer: Context;
let other: Context;
let admin: Context;
let model: string;

beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  importer = { user_id: await addPerson(db), role: 'user' };
  other = { user_id: await addPerson(db), role: 'user' };
  admin = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' };
  model = await addBaseModel(db, { created_by: importer.user_id, name: 'Shared' });
});

const isThere = async () => (await getModel(other, model).catch(() => null)) !== null;
const submit = async (ctx: Context) => {
  const dataset_id = await addDataset(db, ctx.user_id);
  return () =>
    createJob(ctx, {
      ...{ name: 'A run', method: 'lora', dataset_id, base_model_id: model, hub_model: null, trigger_words: [] },
      ...{ resolution: null, preset_id: 'fast', gpu_config: null, max_steps: null, seed: 1, run: NO_WISHES, metadata: {} },
      ...{ probe_only: false, limits: {}, training_image_id: null, priority: 0, start: true },
      hyperparameters: {
        learning_rate: 1e-4,
        batch_size: 8,
        epochs: 1,
        rank: 8,
        alpha: 16,
        dropout: 0.05,
      } as TrainingSpec['hyperparameters'],
    });
};
const someoneWaits = () =>
  expect
    .poll(
      async () =>
        (
          await db.asOwner(
            `SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`,
          )
        ).length,
      { timeout: 20_000 },
    )
    .toBe(1);

describe.each(['its importer', 'an administrator'])('%s', (who) => {
  const keeper = () => (who === 'its importer' ? importer : admin);

  test.each(['queued', 'initializing', 'running'])(
    'cannot delete a model on which somebody else has a training that is %s',
    async (status) => {
      const job = await addJob(db, other.user_id, { base_model_id: model, status, name: 'Their secret' });
      const refusal = await deleteModel(keeper(), model).catch((error) => error);
      expect(refusal).toMatchObject({ code: 'conflict', details: [{ code: 'model_in_use' }] });
      expect(refusal.message).toMatch(/^Shared cannot be deleted while a training that is not over needs it/);
      expect(JSON.stringify([refusal.message, refusal.details])).not.toMatch(`secret|${job}|${other.user_id}`);
      expect(await isThere()).toBe(true);
      await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled', slot = NULL WHERE id = $1`, [job]);
      await deleteModel(keeper(), model);
      expect(await isThere()).toBe(false);
    },
  );

  test('who deletes a model while a training on it is being stored waits for that, and is refused', async () => {
    await db.asOwner('BEGIN');
    await addJob(db, other.user_id, { base_model_id: model });
    const deletion = deleteModel(keeper(), model).catch((error) => error.code);
    await someoneWaits();
    await db.asOwner('COMMIT');
    expect(await deletion).toBe('conflict');
    expect(await isThere()).toBe(true);
  });
});

test('a training that is submitted while its model is being deleted waits for that, and is refused', async () => {
  const submission = await submit(other);
  await db.asOwner('BEGIN');
  await db.asOwner('SELECT FROM lowrank.base_models WHERE id = $1 FOR UPDATE', [model]);
  const refused = submission().catch((error) => error);
  await someoneWaits();
  await db.asOwner('UPDATE lowrank.base_models SET deleted_at = now() WHERE id = $1', [model]);
  await db.asOwner('COMMIT');
  expect(await refused).toMatchObject({ code: 'not_found', details: [{ path: 'base_model_id' }] });
  expect(await db.asOwner('SELECT FROM lowrank.training_jobs')).toEqual([]);
});

test('whether a model is trained on is told to its importer, and to nobody else who asks the database', async () => {
  await addJob(db, other.user_id, { base_model_id: model });
  const ask = async (ctx: Context) =>
    (await asUser(ctx.user_id, (tx) => tx.execute<{ needed: boolean }>(`SELECT lowrank.own_model_needed('${model}') AS needed`)))
      .rows[0]?.needed;
  expect([await ask(importer), await ask(other), await ask(admin)]).toEqual([true, false, false]);
});
