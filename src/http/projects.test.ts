import { beforeAll, expect, test } from 'vitest';
import { addCaller, json, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addDataset } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});

const make = async (name: string, headers: Record<string, string> = owner.headers) =>
  (await (await api.post('/api/projects', { name }, headers)).json()) as { id: string };
const read = async (path: string, headers: Record<string, string> = owner.headers) =>
  (await (await api.request(path, { headers })).json()) as {
    projects: { id: string; name: string }[];
    datasets: { id: string }[];
    total: number;
    next_cursor: string | null;
  };

test('a project is made, listed, searched, read and renamed by its owner', async () => {
  const answer = await api.post('/api/projects', { name: 'Answers', description: 'of support' }, owner.headers);
  expect(answer.status).toBe(201);
  const project = (await answer.json()) as { id: string };
  expect(project).toMatchObject({ name: 'Answers', description: 'of support' });
  expect(await read(`/api/projects/${project.id}`)).toEqual(project);
  expect(await read('/api/projects?q=SUPPORT')).toMatchObject({ projects: [project], total: 1 });
  expect((await read('/api/projects?search=nothing')).total).toBe(0);
  const changed = await api.request(`/api/projects/${project.id}`, json({ name: 'Replies' }, owner.headers, 'PATCH'));
  expect(await changed.json()).toMatchObject({ name: 'Replies', description: 'of support' });
});

test('told twice with one Idempotency-Key it is one project', async () => {
  const headers = { ...owner.headers, 'idempotency-key': 'project' };
  const [first, again] = [await make('Once', headers), await make('Once', headers)];
  expect(again).toEqual(first);
  expect((await read('/api/projects?q=Once')).total).toBe(1);
});

test('pages behind a cursor have every project once, whatever is made meanwhile', async () => {
  const person = await addCaller(db);
  const made = [];
  for (const name of ['one', 'two', 'three', 'four', 'five']) made.push((await make(name, person.headers)).id);
  const first = await read('/api/projects?limit=2', person.headers);
  await make('six', person.headers);
  const second = await read(`/api/projects?limit=2&after=${first.next_cursor}`, person.headers);
  const third = await read(`/api/projects?limit=2&after=${second.next_cursor}`, person.headers);
  expect([first, second, third].flatMap((page) => page.projects.map((project) => project.id))).toEqual(made.reverse());
  expect([third.next_cursor, third.total]).toEqual([null, 6]);
  const foreign = await api.request(`/api/projects?after=${first.next_cursor}`, { headers: stranger.headers });
  expect([foreign.status, (await foreign.json()).details]).toEqual([400, [expect.objectContaining({ path: 'after' })]]);
});

test('a stranger’s project is not found, and nothing is put into it', async () => {
  const { id } = await make('Mine');
  const dataset_id = await addDataset(db, stranger.user_id);
  const init: RequestInit[] = [{}, { method: 'DELETE' }, json({ name: 'theirs' }, {}, 'PATCH')];
  for (const one of init) {
    const headers = { ...(one.headers as Record<string, string>), ...stranger.headers };
    expect((await api.request(`/api/projects/${id}`, { ...one, headers })).status).toBe(404);
  }
  const put = (headers: Record<string, string>, dataset: string) =>
    api.request(`/api/datasets/${dataset}`, json({ project_id: id }, headers, 'PATCH'));
  expect((await put(stranger.headers, dataset_id)).status).toBe(404);
  expect((await read(`/api/datasets?project=${id}`, stranger.headers)).total).toBe(0);
  expect((await read('/api/projects', stranger.headers)).total).toBe(0);
  expect((await put(owner.headers, await addDataset(db, owner.user_id))).status).toBe(200);
});

test('a project that goes leaves its datasets, in no project', async () => {
  const { id } = await make('Short');
  const dataset_id = await addDataset(db, owner.user_id, { project_id: id });
  await addDataset(db, owner.user_id);
  expect((await read(`/api/datasets?project=${id}`)).datasets.map((dataset) => dataset.id)).toEqual([dataset_id]);
  expect((await api.request(`/api/projects/${id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(204);
  expect((await api.request(`/api/projects/${id}`, { headers: owner.headers })).status).toBe(404);
  expect(await read(`/api/datasets/${dataset_id}`)).toMatchObject({ id: dataset_id, project_id: null });
});
