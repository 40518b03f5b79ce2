// Every row of the contracts' tables, tried over HTTP: just inside, just outside, of another kind, absent.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, makeApi, noWaiting } from '../../test/api.ts';
import { casesOf, FIELDS, type Field, NOT_JSON, tableOf } from '../../test/contract-tables/read-tables.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';
import type { Api } from './api-env.ts';
import { openApiDocument } from './openapi.ts';

const db = useDatabase();
let api: Api;
let folder: string;
let headers: Record<string, string>;
let dataset_id: string;
let model_id: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-contracts-'));
  connectStorage(localFolder(folder));
  api = makeApi();
  const caller = await addCaller(db);
  headers = caller.headers;
  dataset_id = await addDataset(db, caller.user_id);
  model_id = await addBaseModel(db, { hf_repo_id: 'acme/tiny', hf_requested_revision: 'main', hf_revision: 'c0ffee' });
});
afterAll(async () => {
  await silenceJobBell();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => noWaiting(db));

type Body = Record<string, unknown>;
interface Door {
  path: string;
  body(): Body;
}
const train = { max_steps: 20, global_batch_size: 8 };
const estimated = { learning_rate: 1e-4, batch_size: 4, epochs: 1, rank: 8 };
/** What is sent to each door when nothing is wrong; held, so that nothing is waited for. */
const DOORS: Record<string, Door> = {
  A: {
    path: '/api/training/submit',
    body: () => ({ dataset_id, type: 'lora', base_model: 'acme/tiny', config: {}, start: false }),
  },
  'B estimate': {
    path: '/api/jobs/estimate',
    body: () => ({ dataset_id, gpu_config: { type: 'H100', count: 1 }, hyperparameters: estimated }),
  },
  B: {
    path: '/api/jobs',
    body: () => ({ dataset_id, preset_id: 'fast', gpu_config: { type: 'CPU', count: 1 }, hyperparameters: {}, start: false }),
  },
  'C preflight': {
    path: '/api/experiments/preflight',
    body: () => ({ base_model_id: model_id, dataset_id, recipe_id: 'lora', train, resources: { gpus: 1 } }),
  },
  C: {
    path: '/api/jobs',
    body: () => ({
      name: 'Wizard',
      base_model_id: model_id,
      dataset_id,
      recipe_id: 'lora',
      train,
      strategy: {},
      resources: { gpus: 1 },
      eval: {},
      start: false,
    }),
  },
};

/** The door's body as JSON text, with the field set to the given text; undefined leaves it out. */
function bodyWith({ door, field }: Field, text: string | undefined): string {
  const body = structuredClone(DOORS[door]?.body() ?? {});
  const names = field.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce((at, name) => at[name] as Body, body);
  const MARK = 'the-value-under-test';
  if (text === undefined) delete holder[last];
  else holder[last] = MARK;
  const value = text?.replaceAll('X', dataset_id).replaceAll('"M"', `"${model_id}"`).replaceAll('{M}', `{${model_id}}`);
  const filled = value?.replaceAll('urn:uuid:M', `urn:uuid:${model_id}`).replaceAll('["M"]', `["${model_id}"]`) ?? '';
  return JSON.stringify(body).replace(`"${MARK}"`, () => filled);
}

async function send(row: Field, text: string | undefined) {
  await noWaiting(db);
  const answer = await api.request(DOORS[row.door]?.path ?? '', json(bodyWith(row, text), headers));
  const told = (await answer.json()) as { code?: string; details?: unknown; violations?: unknown };
  const rows = (Array.isArray(told.violations) ? told.violations : told.details) as { path: string; code: string }[] | undefined;
  return { status: answer.status, code: told.code, rows };
}

describe('the tables', () => {
  test('are all there', () => {
    expect(FIELDS.map(({ door }) => door)).toHaveLength(80);
    const cases = FIELDS.flatMap(({ rule }) => [...casesOf(rule).takes, ...casesOf(rule).refuses]);
    expect(cases.length).toBeGreaterThan(900);
    const counts = ['Presets', 'Devices', 'Limits', 'Statuses'].map((name) => tableOf(name).length);
    expect(counts).toEqual([3, 4, 7, 11]);
  });
});

describe.each(Object.keys(DOORS))('door %s', (door) => {
  const rows = FIELDS.filter((row) => row.door === door);

  test.each(rows)('takes $field: $rule', async (row) => {
    for (const text of casesOf(row.rule).takes) {
      // A list that may not be empty is taken with something in it: its own tests say with what.
      if (text === '[]' && row.field === 'export') continue;
      const { status, rows: refused } = await send(row, text);
      // 422: well-formed, and what it asks for cannot be trained here.
      expect([row.field, text, [200, 201, 422].includes(status), refused]).toEqual([row.field, text, true, refused]);
    }
  });

  test.each(rows)('refuses what is not $field: $rule, in one row that names it', async (row) => {
    for (const { text, codes } of casesOf(row.rule).refuses) {
      // Free facts may hold anything, and a wish for a part of an executor may be none.
      if (text === 'null' && /partition_id|gpu_type/.test(row.field)) continue;
      const { status, code, rows: refused = [] } = await send(row, text);
      expect([row.field, text, status, code]).toEqual([row.field, text, 400, 'invalid_request']);
      const named = refused.filter(({ path }) => path === row.field || path.startsWith(`${row.field}.`));
      expect([row.field, text, refused.length > 0, refused]).toEqual([row.field, text, true, named]);
      if (codes !== undefined && !/^\[/.test(text))
        expect([row.field, text, named[0]?.code]).toEqual([row.field, text, expect.stringMatching(codes)]);
    }
  });

  test.each(rows.filter(({ rule }) => /^(integer|number)/.test(rule)))('reads no $field that is no JSON', async (row) => {
    for (const text of NOT_JSON) {
      const { status, code } = await send(row, text);
      expect([row.field, text, status, code]).toEqual([row.field, text, 400, 'invalid_json']);
    }
  });

  test.each(rows)('$field may or may not be absent', async (row) => {
    const { status, rows: refused } = await send(row, undefined);
    if (!row.required) return expect([row.field, status < 400 || status === 422]).toEqual([row.field, true]);
    expect([row.field, status, refused]).toEqual([
      row.field,
      400,
      [expect.objectContaining({ path: row.field, code: 'required' })],
    ]);
  });
});

describe('a preset', () => {
  const names = ['learning_rate', 'batch_size', 'epochs', 'rank', 'alpha', 'dropout'] as const;
  const submit = async (fields: Body) => {
    await noWaiting(db);
    const answer = await api.request('/api/jobs', json({ dataset_id, start: false, ...fields }, headers));
    return ((await answer.json()) as { data: { preset_id: string; hyperparameters: Record<string, number> } }).data;
  };

  test.each(tableOf('Presets'))('$name is stored with its values, by each of its names', async (row) => {
    const values = Object.fromEntries(names.map((name) => [name, Number(row[name])]));
    for (const preset_id of [row.name, row['other name']].filter(Boolean))
      expect(await submit({ preset_id })).toMatchObject({ preset_id: row.name, hyperparameters: values });
    expect(await submit({ preset_id: row.name, hyperparameters: { alpha: 1 } })).toMatchObject({ preset_id: 'custom' });
  });

  test('that is not named is balanced', async () => {
    expect(await submit({})).toMatchObject({ preset_id: 'balanced' });
  });
});

test.each(tableOf('Devices'))('$GPU costs and does what the table says, by each of its names', async (row) => {
  for (const type of [row.GPU, row.GPU?.toLowerCase(), row['other name']].filter(Boolean)) {
    await noWaiting(db);
    const asked = { dataset_id, gpu_config: { type, count: 2 }, hyperparameters: estimated };
    const { data } = (await (await api.request('/api/jobs/estimate', json(asked, headers))).json()) as { data: unknown };
    expect(data).toMatchObject({
      hourly_rate: 2 * Number(row['$/h']),
      gpu_config: { type: row.GPU },
      training_details: { estimated_throughput_tokens_per_sec: 2 * Number(row['tokens/s']) },
    });
  }
});

test.each(tableOf('Limits'))('$route takes so many a minute, and says so', async (row) => {
  const [method = '', path = ''] = (row.route ?? '').split(' ');
  const answer = await api.request(path, method === 'GET' ? { headers } : json('{', headers));
  expect(answer.headers.get('ratelimit-limit')).toBe(row['a minute']);
});

test.each(tableOf('Statuses'))('$status, $of, is in the document', ({ status = '' }) => {
  const { paths } = openApiDocument(api, 'http://localhost');
  const told = Object.values(paths).flatMap((operations) =>
    Object.values(operations).flatMap(({ responses }) => Object.keys(responses)),
  );
  expect(told).toContain(status);
});

test('every list has 50 rows a page unless it is asked for 1 to 500', () => {
  const { paths } = openApiDocument(api, 'http://localhost');
  const limits = Object.entries(paths).flatMap(([path, { get }]) =>
    (get?.parameters ?? []).filter(({ name }) => name === 'limit').map(({ schema }) => [path, schema] as const),
  );
  expect(limits.length).toBeGreaterThan(12);
  for (const [path, schema] of limits)
    expect([path, schema]).toEqual([
      path,
      { type: 'integer', minimum: 1, maximum: 500, default: path === '/api/activity' ? 100 : 50 },
    ]);
});
