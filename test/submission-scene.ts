/** A person with a dataset and a model, and what is asked of door A: for the tests of its submissions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, useApi } from './api.ts';
import { useDatabase } from './database.ts';
import { addBaseModel, addDataset } from './factories.ts';

export const db = useDatabase();
export const api = useApi();
export let caller: Awaited<ReturnType<typeof addCaller>>;
export let dataset_id: string;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-door-a-'));
  connectStorage(localFolder(folder));
});
afterAll(async () => {
  await silenceJobBell();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models, lowrank.workers, lowrank.rate_limits CASCADE');
  caller = await addCaller(db);
  dataset_id = await addDataset(db, caller.user_id);
  await addBaseModel(db, { hf_repo_id: 'acme/tiny', hf_requested_revision: 'main', hf_revision: 'c0ffee', name: 'acme/tiny' });
});

export const asked = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  dataset_id,
  type: 'lora',
  base_model: 'acme/tiny',
  config: {},
  ...fields,
});
export const submit = (body: unknown, headers: Record<string, string> = {}) =>
  api.request('/api/training/submit', json(body, { ...caller.headers, ...headers }));
