import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Experiment } from '#/contract/experiments.ts';
import { builtInRecipe } from '#/domain/recipes.ts';
import { addCaller, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const RECIPE = builtInRecipe('lora')?.id;
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});

async function addExperiment(name: string): Promise<string> {
  const id = randomUUID();
  await db.asOwner('INSERT INTO lowrank.experiments (id, user_id, name, recipe_id) VALUES ($1, $2, $3, $4)', [
    id,
    owner.user_id,
    name,
    RECIPE,
  ]);
  return id;
}
const read = async <T>(path: string, headers: Record<string, string> = owner.headers) =>
  (await (await api.request(path, { headers })).json()) as T;

test('an experiment has its jobs, newest first, in this door’s words; its list has the newest alone', async () => {
  const id = await addExperiment('Rank 8');
  const failed = await addJob(db, owner.user_id, { experiment_id: id, status: 'failed', created_at: '2026-01-01' });
  const running = await addJob(db, owner.user_id, { experiment_id: id, status: 'running', created_at: '2026-01-02' });
  await addJob(db, owner.user_id, { experiment_id: id, deleted_at: '2026-01-03' });
  await addJob(db, owner.user_id);
  const one = await read<Experiment>(`/api/experiments/${id}`);
  expect(one).toMatchObject({
    name: 'Rank 8',
    recipe_id: RECIPE,
    status: 'RUNNING',
    jobs: [
      { id: running, status: 'RUNNING' },
      { id: failed, status: 'FAILED' },
    ],
    jobs_by_status: { queued: 0, initializing: 0, running: 1, completed: 0, failed: 1, cancelled: 0 },
  });
  const list = await read<{ experiments: Experiment[] }>('/api/experiments?q=rank');
  expect(list.experiments).toEqual([{ ...one, jobs: one.jobs.slice(0, 1) }]);
});

test('a stranger’s experiment is not found', async () => {
  const id = await addExperiment('Mine');
  expect((await api.request(`/api/experiments/${id}`, { headers: stranger.headers })).status).toBe(404);
  expect((await read<{ total: number }>('/api/experiments', stranger.headers)).total).toBe(0);
  expect((await api.request(`/api/experiments/${id}`, { headers: owner.headers })).status).toBe(200);
});

test('an experiment without a job says so, and pages have each once', async () => {
  const ids = [];
  for (const name of ['page 1', 'page 2', 'page 3']) ids.unshift(await addExperiment(name));
  const first = await read<{ experiments: Experiment[]; next_cursor: string }>('/api/experiments?q=page&limit=2');
  const second = await read<{ experiments: Experiment[]; total: number }>(
    `/api/experiments?q=page&limit=2&after=${first.next_cursor}`,
  );
  expect([...first.experiments, ...second.experiments].map((one) => one.id)).toEqual(ids);
  expect([second.total, second.experiments[0]]).toMatchObject([3, { status: null, dataset_id: null, jobs: [] }]);
});
