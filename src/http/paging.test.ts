/** What every list promises of its pages. */
import { beforeAll, expect, test } from 'vitest';
import { addCaller, makeApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob, addRow } from '../../test/factories.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const ROWS = 4;
const LISTS = ['datasets', 'base-models', 'projects', 'recipes', 'experiments', 'activity', 'notifications', 'jobs'];
let api: Api;
let headers: Record<string, string>;

beforeAll(async () => {
  api = makeApi();
  const caller = await addCaller(db);
  headers = caller.headers;
  const { user_id } = caller;
  for (let at = 0; at < ROWS; at++) {
    await addDataset(db, user_id);
    await addBaseModel(db);
    await addJob(db, user_id);
    await addRow(db, 'lowrank.projects', { user_id, name: `Project ${at}` });
    await addRow(db, 'lowrank.recipes', { user_id, name: `Recipe ${at}`, method: 'lora' });
    await addRow(db, 'lowrank.experiments', { user_id, name: `Experiment ${at}`, recipe_id: user_id });
    await addRow(db, 'lowrank.notifications', { user_id, type: 'job_queued', title: 'Queued', message: String(at) });
    const entity = { entity_type: 'job', entity_id: user_id, event_type: 'job_created' };
    await addRow(db, 'lowrank.activities', { user_id, ...entity, title: 'Made', message: String(at) });
  }
});

test.each(LISTS)('the cursor of %s counts before an offset', async (list) => {
  const read = async (query: string) => {
    const answer = await api.request(`/api/${list}?limit=1&${query}`, { headers });
    expect(answer.status, await answer.clone().text()).toBe(200);
    const body = (await answer.json()) as Record<string, unknown> & { data?: Record<string, unknown> };
    const page = (body.data?.pagination ?? body) as { next_cursor: string };
    const rows = Object.values(body.data ?? body).find(Array.isArray) as { id: string }[];
    return { ids: rows.map((row) => row.id), next_cursor: page.next_cursor };
  };
  const first = await read('');
  const second = await read(`after=${first.next_cursor}`);
  expect(second.ids).toHaveLength(1);
  expect(second.ids).not.toEqual(first.ids);
  const other = list === 'jobs' ? 'page=3' : 'offset=2';
  expect(await read(`after=${first.next_cursor}&${other}`)).toEqual(second);
});
