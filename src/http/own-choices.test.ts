/** What people decide for themselves: the base model of their submissions that name none. */
import { beforeEach, describe, expect, test } from 'vitest';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let own: string;
let installation: string;
beforeEach(async () => {
  await noWaiting(db);
  await db.asOwner('UPDATE lowrank.base_models SET deleted_at = now()');
  owner = await addCaller(db);
  stranger = await addCaller(db);
  own = await addBaseModel(db, { name: 'own' });
  installation = await addBaseModel(db, { name: 'installation' });
  await db.asOwner(
    `INSERT INTO lowrank.settings (key, value) VALUES ('default_base_model_id', to_jsonb($1::text))
     ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    [installation],
  );
});

const choose = (default_base_model_id: unknown, headers = owner.headers) =>
  api.request('/api/me', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ default_base_model_id }),
  });
const trained = async (who = owner) => {
  const body = { dataset_id: await addDataset(db, who.user_id), preset_id: 'fast' };
  const answer = (await (await api.post('/api/jobs', body, who.headers)).json()) as {
    code?: string;
    data?: { base_model_id: string };
  };
  return answer.data?.base_model_id ?? answer.code;
};
const remove = (id: string) => db.asOwner('UPDATE lowrank.base_models SET deleted_at = now() WHERE id = $1', [id]);
const told = async (who = owner) => {
  const models = (await (await api.request('/api/base-models', { headers: who.headers })).json()) as { default_model_id: string };
  const me = (await (await api.me(who.headers)).json()) as { default_base_model_id: string };
  return [me.default_base_model_id, models.default_model_id];
};

describe('a default base model of one’s own', () => {
  test('counts before the installation’s, for oneself alone', async () => {
    expect(await told()).toEqual([null, installation]);
    expect(await trained()).toBe(installation);
    const answer = await choose(own);
    expect([answer.status, await answer.json()]).toMatchObject([200, { user: {}, default_base_model_id: own }]);
    expect(await told()).toEqual([own, own]);
    expect(await trained()).toBe(own);
    expect(await told(stranger)).toEqual([null, installation]);
    expect(await trained(stranger)).toBe(installation);
    expect((await choose(null)).status).toBe(200);
    expect(await trained()).toBe(installation);
  });

  test('that was deleted counts for nothing, nor does a deleted one of the installation', async () => {
    await choose(own);
    await addBaseModel(db, { name: 'another' });
    await remove(own);
    expect(await told()).toEqual([own, installation]);
    expect(await trained()).toBe(installation);
    await addBaseModel(db, { name: 'one more' });
    await remove(installation);
    expect(await trained()).toBe('base_model_required');
    await db.asOwner('DELETE FROM lowrank.training_jobs');
    await db.asOwner('DELETE FROM lowrank.base_models WHERE id = $1', [own]);
    expect((await told())[0]).toBeNull();
  });

  test('is one that can be trained', async () => {
    const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];
    for (const [fields, refusal] of [
      [{ status: 'fetching' }, [409, 'base_model_not_ready']],
      [{ trainable: false }, [422, 'not_trainable']],
      [{ deleted_at: new Date() }, [404, 'not_found']],
    ] as const)
      expect(await codeOf(await choose(await addBaseModel(db, fields)))).toEqual(refusal);
    expect(await codeOf(await choose(NO_ID))).toEqual([404, 'not_found']);
    expect(await codeOf(await choose('x'))).toEqual([400, 'invalid_request']);
    expect(await codeOf(await choose(undefined))).toEqual([400, 'invalid_request']);
    const reader = await addCaller(db, { scopes: ['read'] });
    expect(await codeOf(await choose(own, reader.headers))).toEqual([403, 'insufficient_scope']);
    expect((await told())[0]).toBeNull();
  });
});
