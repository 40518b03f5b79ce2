/** Base models that are narrowed to a project: seen and used by its owner alone, and never everybody's by another's deed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { removeDepartures } from '#/services/people/remove-departures.ts';
import { addCaller, json, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob, addRow } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
type Who = Awaited<ReturnType<typeof addCaller>>;
let owner: Who;
let stranger: Who;
let admin: Who;
let project: string;
let model: string;

const projectOf = async (who: Who) =>
  ((await (await api.post('/api/projects', { name: 'P' }, who.headers)).json()) as { id: string }).id;
beforeEach(async () => {
  await noWaiting(db);
  await db.asOwner(
    `UPDATE lowrank.base_models SET deleted_at = now(); DELETE FROM lowrank.settings WHERE key = 'default_base_model_id'`,
  );
  [owner, stranger, admin] = [await addCaller(db), await addCaller(db), await addCaller(db, { role: 'administrator' })];
  project = await projectOf(owner);
  model = await addBaseModel(db, { created_by: owner.user_id, name: 'Mine' });
});

interface Told {
  id: string;
  project_id: string | null;
  hf_revision: string | null;
  details: { path: string; code: string }[];
}
const answerOf = async (asked: Response | Promise<Response>) => {
  const answer = await asked;
  return { ...(JSON.parse((await answer.text()) || '{}') as Told), status: answer.status };
};
const change = (body: unknown, who = owner, id = model) =>
  answerOf(api.request(`/api/base-models/${id}`, json(body, who.headers, 'PATCH')));
const narrow = (who = owner, project_id: string | null = project) => change({ project_id }, who);
const ask = (path: string, who = owner, method = 'GET') => answerOf(api.request(path, { method, headers: who.headers }));
const listed = async (who = owner, query = '') => {
  const answer = await api.request(`/api/base-models${query}`, { headers: who.headers });
  const { models, total } = (await answer.json()) as { models: { id: string }[]; total: number };
  expect(total).toBe(models.length);
  return models.map(({ id }) => id);
};
const refusal = (status: number, path: string, code: string) => ({ status, details: [{ path, code }] });
const IN_USE = refusal(409, 'project_id', 'model_in_use');
const choose = (who: Who) => answerOf(api.request('/api/me', json({ default_base_model_id: model }, who.headers, 'PATCH')));
const submit = async (who: Who) =>
  answerOf(
    api.post(
      '/api/jobs',
      { dataset_id: await addDataset(db, who.user_id), base_model_id: model, preset_id: 'fast' },
      who.headers,
    ),
  );
const isShared = async (id = model) =>
  (await db.asOwner('SELECT FROM lowrank.base_models WHERE id = $1 AND NOT narrowed', [id])).length === 1;

test('a model is narrowed to an own project, is there for its importer alone, and is shared again', async () => {
  expect(await ask(`/api/base-models/${model}`, stranger)).toMatchObject({ status: 200, project_id: null });
  expect(await narrow()).toMatchObject({ status: 200, project_id: project });
  const other = await projectOf(owner);
  for (const query of ['', `?project=${project}`, '?q=mine']) expect(await listed(owner, query)).toEqual([model]);
  expect(await listed(owner, `?project=${other}`)).toEqual([]);
  expect((await submit(owner)).status).toBe(201);
  for (const who of [stranger, admin]) {
    for (const query of ['', `?project=${project}`, '?q=mine']) expect(await listed(who, query)).toEqual([]);
    expect((await ask(`/api/base-models/${model}`, who)).status).toBe(404);
    expect((await ask(`/api/base-models/${model}`, who, 'DELETE')).status).toBe(404);
    expect((await change({ name: 'x' }, who)).status).toBe(404);
    expect((await submit(who)).status).toBe(404);
    expect((await choose(who)).status).toBe(404);
  }
  expect((await choose(owner)).status).toBe(200);
  expect(await narrow(owner, other)).toMatchObject({ status: 200, project_id: other });
  expect(await narrow(owner, null)).toMatchObject({ status: 200, project_id: null });
  for (const who of [stranger, admin]) expect(await listed(who, `?project=${project}`)).toEqual([model]);
});

test('a model is narrowed to no project of somebody else’s, and by nobody but its importer', async () => {
  const theirs = await projectOf(stranger);
  for (const id of [theirs, '00000000-0000-4000-8000-000000000000']) {
    expect(await narrow(owner, id)).toMatchObject(refusal(404, 'project_id', 'not_found'));
    const asked = api.post('/api/base-models', { hf_repo_id: 'a/b', project_id: id }, owner.headers);
    expect(await answerOf(asked)).toMatchObject(refusal(404, 'project_id', 'not_found'));
  }
  expect((await narrow(stranger, theirs)).status).toBe(403);
  expect((await narrow(admin, await projectOf(admin))).status).toBe(403);
  expect(await isShared()).toBe(true);
});

describe('a model cannot be narrowed', () => {
  test.each(['queued', 'completed', 'deleted'])('that a training of somebody else’s names, which is %s', async (status) => {
    const deleted_at = status === 'deleted' ? new Date() : null;
    const job = await addJob(db, stranger.user_id, {
      base_model_id: model,
      status: status === 'deleted' ? 'completed' : status,
      deleted_at,
    });
    expect(await narrow()).toMatchObject(IN_USE);
    expect(await isShared()).toBe(true);
    await db.asOwner('UPDATE lowrank.training_jobs SET user_id = user_id, base_model_id = $2 WHERE id = $1', [
      job,
      await addBaseModel(db),
    ]);
    expect((await narrow()).status).toBe(200);
  });

  test('that a transfer of somebody else’s names', async () => {
    const transfer = { user_id: stranger.user_id, kind: 'model', hf_repo_id: 'a/b', hf_requested_revision: 'main' };
    await addRow(db, 'lowrank.transfers', { ...transfer, base_model_id: model });
    expect(await narrow()).toMatchObject(IN_USE);
  });

  test('that is somebody else’s default, or the installation’s, which a narrowed one does not become', async () => {
    expect((await choose(stranger)).status).toBe(200);
    expect(await narrow()).toMatchObject(IN_USE);
    await db.asOwner('UPDATE lowrank.user_queues SET default_base_model_id = NULL');
    const byAll = (id: string | null, who = admin) =>
      answerOf(api.request('/api/settings', json({ default_base_model_id: id }, who.headers, 'PATCH')));
    expect((await byAll(model)).status).toBe(200);
    expect(await narrow()).toMatchObject(IN_USE);
    expect((await byAll(null)).status).toBe(200);
    expect((await narrow()).status).toBe(200);
    expect((await byAll(model)).status).toBe(404);
    const of_admin = await addBaseModel(db, { created_by: admin.user_id });
    expect((await change({ project_id: await projectOf(admin) }, admin, of_admin)).status).toBe(200);
    expect(await byAll(of_admin)).toMatchObject(refusal(409, 'default_base_model_id', 'model_narrowed'));
  });

  test('while a training on it is being stored: who narrows it waits for that', async () => {
    await db.asOwner('BEGIN');
    await addJob(db, stranger.user_id, { base_model_id: model });
    const narrowing = narrow();
    await someoneWaits();
    await db.asOwner('COMMIT');
    expect(await narrowing).toMatchObject(IN_USE);
  });
});

test.each(['a training', 'a default'])('%s on a model that is being narrowed waits for that, and is refused', async (what) => {
  const dataset_id = await addDataset(db, stranger.user_id);
  await db.asOwner('BEGIN');
  await db.asOwner('SELECT FROM lowrank.base_models WHERE id = $1 FOR UPDATE', [model]);
  const late =
    what === 'a default'
      ? choose(stranger)
      : answerOf(api.post('/api/jobs', { dataset_id, base_model_id: model, preset_id: 'fast' }, stranger.headers));
  await someoneWaits();
  await db.asOwner('UPDATE lowrank.base_models SET narrowed = true, project_id = $2 WHERE id = $1', [model, project]);
  await db.asOwner('COMMIT');
  expect((await late).status).toBe(404);
});

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

test('the same Hub model is everybody’s own where somebody narrowed theirs, and each is answered again', async () => {
  const wish = { hf_repo_id: 'a/narrowed' };
  const register = (who: Who, more: object = {}) => answerOf(api.post('/api/base-models', { ...wish, ...more }, who.headers));
  const mine = await register(owner, { project_id: project });
  expect(mine).toMatchObject({ status: 201, project_id: project });
  // Fetched already: whoever asks is told of a fetch of their own.
  await db.asOwner(`UPDATE lowrank.base_models SET status = 'ready', hf_revision = $2 WHERE id = $1`, [mine.id, 'c'.repeat(40)]);
  const theirs = await register(stranger);
  expect(theirs).toMatchObject({ status: 201, project_id: null, hf_revision: null });
  expect(JSON.stringify(theirs)).not.toContain(mine.id);
  expect((await register(admin)).id).toBe(theirs.id);
  const twins = [{ project_id: project }, { project_id: null }, {}];
  const found = [];
  for (const more of twins) found.push((await register(owner, more)).id);
  expect(found).toEqual([mine.id, theirs.id, theirs.id]);
  expect(await listed(stranger)).toEqual([theirs.id, model]);
});

test('a project with narrowed models stays; what was deleted of it is nobody else’s when it goes', async () => {
  await narrow();
  expect(await ask(`/api/projects/${project}`, owner, 'DELETE')).toMatchObject(refusal(409, 'id', 'project_has_models'));
  expect((await ask(`/api/projects/${project}`, stranger, 'DELETE')).status).toBe(404);
  const shared = await addBaseModel(db, { created_by: owner.user_id });
  expect((await ask(`/api/base-models/${model}`, owner, 'DELETE')).status).toBe(204);
  expect((await ask(`/api/projects/${project}`, owner, 'DELETE')).status).toBe(204);
  expect([await isShared(), await isShared(shared)]).toEqual([false, true]);
});

test('a narrowed model goes with its importer, and is shared at no moment', async () => {
  await narrow();
  await addJob(db, owner.user_id, { base_model_id: model, status: 'completed' });
  await db.asOwner('UPDATE lowrank.user_queues SET leaving_at = now() WHERE user_id = $1', [owner.user_id]);
  expect((await removeDepartures()).map(({ user_id }) => user_id)).toEqual([owner.user_id]);
  const left = 'SELECT created_by, narrowed, deleted_at IS NULL AS there FROM lowrank.base_models WHERE id = $1';
  expect(await db.asOwner(left, [model])).toEqual([{ created_by: null, narrowed: true, there: false }]);
  for (const who of [stranger, admin]) expect(await listed(who)).toEqual([]);
});
