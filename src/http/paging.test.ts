/** What every list promises of its pages. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { addBrowser, makeApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson, addRow } from '../../test/factories.ts';
import { addObservation } from '../../test/foretold.ts';
import { operationsOf } from '../../test/http-inputs.ts';
import type { Api } from './api-env.ts';
import { openApiDocument } from './openapi.ts';

const db = useDatabase();
const ROWS = 4;
const ids = { webhook: randomUUID(), job: '', dataset: '' };
/** Every list, by the path that it is declared with, and what it is asked for besides. */
const LISTS: Record<string, string> = {
  '/api/accuracy': '',
  '/api/activity': '',
  '/api/artifacts': '',
  '/api/base-models': '',
  '/api/costs': 'by=job',
  '/api/datasets': '',
  '/api/datasets/{id}/images': '',
  '/api/experiments': '',
  '/api/gpus': '',
  '/api/invitations': '',
  '/api/jobs': '',
  '/api/jobs/{id}/artifacts': '',
  '/api/jobs/{id}/checkpoints': '',
  '/api/jobs/{id}/events': '',
  '/api/jobs/{id}/samples': '',
  '/api/keys': '',
  '/api/notifications': '',
  '/api/projects': '',
  '/api/queue': '',
  '/api/recipes': '',
  '/api/transfers': '',
  '/api/users': '',
  '/api/webhooks': '',
  '/api/webhooks/{id}/deliveries': '',
};
/** Lists of what is numbered, as a job's events: their cursor is the number. */
const NUMBERED = /\/(checkpoints|events|samples|images)$/;

let api: Api;
let headers: Record<string, string>;

beforeAll(async () => {
  api = makeApi();
  const caller = await addBrowser(db, { role: 'administrator' });
  headers = caller.headers;
  const { user_id } = caller;
  const add = async (table: string, row: Record<string, unknown>) => addRow(db, table, { user_id, ...row });
  ids.job = await addJob(db, user_id, { status: 'completed' });
  ids.dataset = await addDataset(db, user_id, { modality: 'image' });
  await add('lowrank.webhooks', { id: ids.webhook, url: 'https://hooks.example.org/0' });
  const entity = { entity_type: 'job', entity_id: user_id, event_type: 'job_created' };
  const file = { storage_path: 'p', files: '[]', sha256: 'a'.repeat(64), size: 1 };
  await addRow(db, 'lowrank.workers', { id: 'w', boot_id: 'b', pid: 1, version: '1' });
  for (let at = 0; at < ROWS; at++) {
    await addDataset(db, user_id);
    await addBaseModel(db);
    const job_id = await addJob(db, user_id);
    await addObservation(db, user_id, job_id);
    const price = { type: 'compute', unit_price: 1, quantity: 1, amount: 1 };
    for (const billing_period of ['2026-01-01', '2026-02-01'])
      await add('lowrank.cost_records', { job_id, billing_period, ...price });
    await add('lowrank.projects', { name: `Project ${at}` });
    await add('lowrank.recipes', { name: `Recipe ${at}`, method: 'lora' });
    await add('lowrank.experiments', { name: `Experiment ${at}`, recipe_id: user_id });
    await add('lowrank.notifications', { type: 'job_queued', title: 'Queued', message: String(at) });
    await add('lowrank.activities', { ...entity, title: 'Made', message: String(at) });
    await add('lowrank.model_artifacts', { job_id: ids.job, name: `Artifact ${at}`, kind: 'checkpoint', ...file });
    await add('lowrank.webhooks', { url: `https://hooks.example.org/${at}` });
    await add('lowrank.webhook_deliveries', { webhook_id: ids.webhook, event: 'job.queued', payload: '{}' });
    await add('lowrank.transfers', { kind: 'dataset', hf_repo_id: `owner/${at}`, hf_requested_revision: 'main' });
    await add('identity.api_keys', { name: `Key ${at}`, prefix: 'lowrank_', scopes: '{read}', hash: randomUUID() });
    const link = { token_hash: randomUUID(), invited_by: user_id, expires_at: new Date(Date.now() + 3_600_000) };
    await addRow(db, 'identity.invitations', { email: `invited${at}@example.org`, ...link });
    await addPerson(db);
    const picture = { width: 512, height: 512, bytes: 1, repeats: 1, is_class: false, sha256: 'a'.repeat(64) };
    const thumbnail = { thumbnail_offset: at, thumbnail_length: 1 };
    await add('lowrank.dataset_images', { dataset_id: ids.dataset, n: at + 1, file: `${at}.png`, ...picture, ...thumbnail });
    await addRow(db, 'lowrank.gpu_devices', { worker_id: 'w', kind: 'gpu', uuid: `GPU-${at}`, name: 'GPU', memory_mb: 1 });
    for (const [type, data] of [
      ['checkpoint', { step: at, path: 'checkpoints/step-00000001', bytes: 1 }],
      ['sample', { step: at, prompt: 'p', text: 't' }],
    ] as const)
      await db.asOwner(
        `INSERT INTO lowrank.job_events (job_id, user_id, seq, type, attempt, data)
         SELECT $1, $2, max(seq) + 1, $3, 1, $4 FROM lowrank.job_events WHERE job_id = $1`,
        [ids.job, user_id, type, JSON.stringify(data)],
      );
  }
});

/** What one moment tells otherwise than the next. */
const OF_THE_MOMENT = { last_used_at: null, worker_silent_s: 0, predicted_start_at: null };

interface Page {
  rows: unknown[];
  next: string | number | null;
  total: number | undefined;
}

async function read(list: string, query: string): Promise<Page> {
  const path = list.replace(
    '{id}',
    list.startsWith('/api/webhooks') ? ids.webhook : list.startsWith('/api/datasets') ? ids.dataset : ids.job,
  );
  const answer = await api.request(`${path}?${[LISTS[list], query].filter(Boolean).join('&')}`, { headers });
  expect(answer.status, await answer.clone().text()).toBe(200);
  const body = (await answer.json()) as Record<string, unknown> & { data?: Record<string, unknown> };
  const inner = body.data ?? body;
  const page = (inner.pagination ?? inner) as Record<string, string | number | null>;
  const total = page.total as number | undefined;
  // Of a dataset's images it is exact always.
  if (total !== undefined && !list.endsWith('/images')) expect(page.total_is_estimate).toBe(false);
  const rows = (Object.values(inner).find(Array.isArray) as { updated_at?: string }[]).map(({ updated_at: _, ...row }) => ({
    ...row,
    ...OF_THE_MOMENT,
  }));
  return { rows, next: (NUMBERED.test(list) ? page.next_after : page.next_cursor) ?? null, total };
}

test('every list that the API declares has a limit, a cursor beside it, and says whether its total is an estimate', () => {
  const declared = operationsOf(api).filter(({ parameters }) => parameters.some(({ name }) => name === 'limit'));
  expect(declared.map(({ template }) => template).sort()).toEqual(Object.keys(LISTS).sort());
  for (const { template, parameters } of declared) {
    const names = parameters.map(({ name }) => name);
    expect([template, names]).toEqual([template, expect.arrayContaining(['limit', 'after'])]);
    if (!NUMBERED.test(template)) expect([template, names]).toEqual([template, expect.arrayContaining(['offset'])]);
  }
  const document = JSON.stringify(openApiDocument(api, 'http://127.0.0.1:3000').paths);
  expect(document.match(/"next_cursor":/g)?.length).toBe(document.match(/"total_is_estimate":/g)?.length);
});

describe.each(Object.keys(LISTS))('%s', (list) => {
  test('told page by page behind its cursors is told whole, in one order, and no page is empty', async () => {
    const whole = await read(list, 'limit=500');
    expect(whole.next).toBeNull();
    expect(whole.rows.length).toBeGreaterThanOrEqual(ROWS);
    for (const limit of [1, 2, whole.rows.length]) {
      const told: unknown[] = [];
      let after: Page['next'] = null;
      do {
        const page: Page = await read(list, `limit=${limit}${after === null ? '' : `&after=${after}`}`);
        expect(page.rows.length).toBeGreaterThan(0);
        expect(page.total).toBe(whole.total);
        told.push(...page.rows);
        after = page.next;
      } while (after !== null && told.length <= whole.rows.length);
      expect(told).toEqual(whole.rows);
    }
  });
});

describe.each(Object.keys(LISTS).filter((list) => !NUMBERED.test(list)))('%s', (list) => {
  test('told by place is told the same, and a cursor counts before a place', async () => {
    const whole = await read(list, 'limit=500');
    expect(whole.total).toBe(whole.rows.length);
    for (let offset = 0; offset < 3; offset++)
      expect((await read(list, `limit=1&offset=${offset}`)).rows).toEqual(whole.rows.slice(offset, offset + 1));
    const { next } = await read(list, 'limit=1');
    expect((await read(list, `limit=1&after=${next}&offset=3`)).rows).toEqual(whole.rows.slice(1, 2));
  });
});

test('the months of /api/costs go on behind a month, and no cursor of one view is one of the other', async () => {
  const ask = async (query: string) => {
    const answer = await api.request(`/api/costs?${query}`, { headers });
    return (await answer.json()) as { costs: { billing_period: string }[]; next_cursor: string; details: { code: string }[] };
  };
  const first = await ask('limit=1');
  expect([first.costs[0]?.billing_period, first.next_cursor]).toEqual(['2026-02', '2026-02']);
  const second = await ask('limit=1&after=2026-02');
  expect([second.costs.map((one) => one.billing_period), second.next_cursor]).toEqual([['2026-01'], null]);
  const { next_cursor } = await ask('by=job&limit=1');
  for (const query of [`after=${next_cursor}`, 'by=job&after=2026-02', `by=job&after=2026-03${next_cursor.slice(7)}`])
    expect((await ask(query)).details).toMatchObject([{ path: 'after', code: 'unknown_cursor' }]);
});
