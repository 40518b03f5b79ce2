/** Two people, a model and a dataset, and what is asked of door C: for the tests of the preflight and of the wizard's jobs. */
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, expect } from 'vitest';
import type { Preflight } from '#/contract/wizard.ts';
import { addCaller, noWaiting, useApi } from './api.ts';
import { useDatabase } from './database.ts';
import { addBaseModel, addDataset, addJob } from './factories.ts';

export const db = useDatabase();
export const api = useApi();
export let owner: Awaited<ReturnType<typeof addCaller>>;
export let stranger: Awaited<ReturnType<typeof addCaller>>;
export let base_model_id: string;
export let dataset_id: string;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
  base_model_id = await addBaseModel(db, { vocab_size: 1000 });
  dataset_id = await addDataset(db, owner.user_id);
});
beforeEach(() => noWaiting(db));

export const asked = (fields: Record<string, unknown> = {}) => ({
  base_model_id,
  dataset_id,
  recipe_id: 'lora',
  train: { max_steps: 20, global_batch_size: 8 },
  resources: { gpus: 1 },
  ...fields,
});
export const ask = (body: unknown, headers: Record<string, string> = owner.headers) =>
  api.post('/api/experiments/preflight', body, headers);
export const judge = async (fields: Record<string, unknown> = {}, headers: Record<string, string> = owner.headers) => {
  const answer = await ask(asked(fields), headers);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Preflight;
};
export const read = async <T>(path: string, headers: Record<string, string> = owner.headers) =>
  (await (await api.request(path, { headers })).json()) as T;
export const pathsOf = async (answer: Response) => {
  const { details } = (await answer.json()) as { details: { path: string }[] };
  return details.map((row) => row.path).sort();
};

export async function addAdapter(fields: { user_id: string; base_model_id: string; rank: number }): Promise<string> {
  const id = randomUUID();
  const hyperparameters = { learning_rate: 1e-4, batch_size: 8, epochs: 1, rank: fields.rank, alpha: 16, dropout: 0 };
  const job = await addJob(db, fields.user_id, { base_model_id: fields.base_model_id, hyperparameters, status: 'completed' });
  await db.asOwner(
    `INSERT INTO lowrank.model_artifacts (id, job_id, user_id, name, kind, storage_path, files, sha256, size)
     VALUES ($1, $2, $3, 'First', 'adapter', 'x', '[]', $4, 1)`,
    [id, job, fields.user_id, 'a'.repeat(64)],
  );
  return id;
}
