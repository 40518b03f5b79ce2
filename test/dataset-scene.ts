/** Two people, an API and a folder for files: for the tests of uploads and of datasets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Api } from '#/http/api-env.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, makeApi, noWaiting } from './api.ts';
import { useDatabase } from './database.ts';

export const db = useDatabase();
export const ROWS = '{"prompt":"2+2?","completion":"4"}\n{"prompt":"3+3?","completion":"6"}\n';

export let api: Api;
export let folder: string;
export let owner: Awaited<ReturnType<typeof addCaller>>;
export let stranger: Awaited<ReturnType<typeof addCaller>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-datasets-'));
  connectStorage(localFolder(join(folder, 'storage')));
  api = makeApi();
  owner = await addCaller(db);
  stranger = await addCaller(db);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => noWaiting(db));

export const upload = (query: string, body: BodyInit = ROWS, headers: Record<string, string> = {}) =>
  api.request(`/api/datasets/upload${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...owner.headers, ...headers },
    body,
    duplex: 'half',
  } as RequestInit);
export const violations = async (answer: Response) =>
  ((await answer.json()) as { details: { path: string; code: string }[] }).details.map((row) => `${row.path} ${row.code}`);
