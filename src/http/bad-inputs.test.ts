// Hand-picked bad requests: each gets its status, its code and a row that names what is wrong, and changes nothing.
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { addCaller, makeApi, noWaiting } from '../../test/api.ts';
import { BAD_INPUTS } from '../../test/contract-tables/bad-inputs.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
let api: Api;
let names: Record<string, string>;
let headers: Record<string, string>;
beforeAll(async () => {
  api = makeApi();
  const caller = await addCaller(db);
  const stranger = await addCaller(db);
  headers = caller.headers;
  await addBaseModel(db, { hf_repo_id: 'acme/tiny', hf_requested_revision: 'main', hf_revision: 'c0ffee' });
  const X = await addDataset(db, caller.user_id);
  const over = { status: 'completed', started_at: new Date(), completed_at: new Date(), dataset_id: X };
  names = {
    X,
    Y: await addDataset(db, stranger.user_id),
    G: await addDataset(db, caller.user_id, { deleted_at: new Date() }),
    J: await addJob(db, caller.user_id, over),
  };
});
beforeEach(() => noWaiting(db));

const filled = (text: string) => text.replaceAll(/(?<=["/{:])[XYGJ](?=["/}]|$)/g, (name) => names[name] ?? name);

test('there are enough of them, each once', () => {
  expect(BAD_INPUTS).toHaveLength(116);
  expect(new Set(BAD_INPUTS.map(({ id }) => id)).size).toBe(BAD_INPUTS.length);
});

test.each(BAD_INPUTS)('$id gets $status $code', async ({ method = 'GET', path, body, headers: more, status, code, row }) => {
  const count = () => db.asOwner('SELECT count(*)::int AS n, max(updated_at) AS at FROM lowrank.training_jobs');
  const before = await count();
  const init: RequestInit = { method, headers: { ...headers, ...more }, ...(body !== undefined && { body: filled(body) }) };
  const answer = await api.request(filled(path), init);
  const text = await answer.text();
  const told = JSON.parse(text) as { code: string; details: unknown; violations?: { path: string }[]; request_id: string };
  expect([answer.status, told.code]).toEqual([status, code]);
  const rows = (told.violations ?? told.details) as { path: string }[];
  if (row !== undefined) expect(rows.map(({ path: at }) => at)).toContain(row);
  expect(told.request_id).toBe(answer.headers.get('x-request-id'));
  expect(answer.headers.get('cache-control')).toBe('no-store');
  // No answer grows with what was sent, and none tells of what lies behind.
  expect(text.length).toBeLessThan(20_000);
  expect(text).not.toMatch(/SELECT|node_modules|\bat \w+ \(|\/home\/|lowrank\.training_jobs/);
  expect(await count()).toEqual(before);
});
