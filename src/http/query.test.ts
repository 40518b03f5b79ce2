import { beforeAll, beforeEach, expect, test } from 'vitest';
import { WIZARD_STATUSES } from '#/contract/experiments.ts';
import { COST_VIEWS } from '#/domain/costs.ts';
import { RUN_METHODS } from '#/domain/foresight/run-shape.ts';
import { NOTIFICATION_TYPES } from '#/domain/notifications.ts';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { TRANSFER_KINDS, TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { DELIVERY_STATUSES } from '#/domain/webhooks.ts';
import { addBrowser, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { openApiDocument } from './openapi.ts';

interface Row {
  path: string;
  message: string;
  code: string;
}

const db = useDatabase();
const api = makeApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let headers: Record<string, string>;
beforeAll(async () => {
  ({ headers } = await addBrowser(db));
});
beforeEach(() => noWaiting(db));

/** Every operation with the names of its query parameters. */
const { paths } = openApiDocument(api, 'http://localhost');
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { parameters = [] }]) => ({
    method: method.toUpperCase(),
    path,
    names: parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name),
  })),
);

const whole = (rule: RegExp): [string, RegExp][] => [
  ...['abc', '', '-1', '1.5', '1e3', '0x10', ' 1', '9999999999'].map((value): [string, RegExp] => [value, rule]),
];
const long = (characters: number): [string, RegExp][] => [['x'.repeat(characters + 1), new RegExp(`at most ${characters}`)]];
const oneOf = (...values: string[]): [string, RegExp][] =>
  ['x', '', values[0]?.toUpperCase() ?? ''].map((value) => [value, new RegExp(`^must be one of ${values.join(', ')}$`)]);

const uuid: [string, RegExp][] = [
  ['x', /UUID/],
  ['', /UUID/],
];

/** What each parameter does not take, and the rule that the refusal names. One with another meaning elsewhere is listed by its path. */
const REFUSED: Record<string, [value: string, rule: RegExp][]> = {
  limit: [...whole(/from 1 to 500/), ['0', /at least 1/], ['501', /at most 500/]],
  offset: [...whole(/from 0 to 1000000/), ['1000001', /at most 1000000/]],
  page: [...whole(/from 1 to 1000000/), ['0', /at least 1/]],
  from: whole(/from 0 to 999999999/),
  to: whole(/from 0 to 999999999/),
  points: [...whole(/from 50 to 20000/), ['49', /at least 50/], ['20001', /at most 20000/]],
  after: uuid,
  '/api/costs after': [
    ['2026-13', /next_cursor/],
    ['2026-03_x', /next_cursor/],
  ],
  '/api/jobs/{id}/logs after': whole(/from 0 to 999999999/),
  '/api/jobs/{id}/events after': whole(/from 0 to 999999999/),
  '/api/jobs/{id}/checkpoints after': whole(/from 0 to 999999999/),
  '/api/jobs/{id}/samples after': whole(/from 0 to 999999999/),
  '/api/datasets/{id}/images after': whole(/from 0 to 999999/),
  event_type: [['job_lost', /^must be one of job_created, /]],
  entity_type: oneOf('job', 'transfer', 'experiment', 'dataset', 'model', 'device'),
  user_id: uuid,
  by: oneOf(...COST_VIEWS),
  billing_period: [
    ['2026-13', /month/],
    ['', /month/],
  ],
  job_id: uuid,
  project_id: uuid,
  unread_only: oneOf('true', 'false'),
  project: uuid,
  view: ['x', ''].map((value) => [value, /^must be wizard$/]),
  compatible_with_model: uuid,
  gpu: [['', /./]],
  method: oneOf(...RUN_METHODS),
  include_incompatible: oneOf('true', 'false'),
  attempt: [...whole(/from 1 to 32767/), ['0', /at least 1/]],
  search: long(200),
  q: long(200),
  family: long(100),
  modality: oneOf('text', 'image', 'audio', 'video', 'multimodal'),
  stage: oneOf('staging', 'production', 'archived'),
  trainable: oneOf('true', 'false'),
  servable: oneOf('true', 'false'),
  status: oneOf(...JOB_STATUSES, ...WIZARD_STATUSES),
  file: uuid,
  type: oneOf(...NOTIFICATION_TYPES),
  kind: oneOf(...TRANSFER_KINDS),
  '/api/transfers status': oneOf(...TRANSFER_STATUSES),
  '/api/webhooks/{id}/deliveries status': oneOf(...DELIVERY_STATUSES),
  name: [...long(120), ['a\nb', /./]],
  description: long(2000),
  file_name: [
    ['..', /must name a file/],
    ['a\u0007', /control characters/],
  ],
  format: [['csv', /^must be one of auto, /]],
  mapping: [['prompt', /field=column pairs/]],
  invalid_rows: oneOf('refuse', 'skip'),
};

async function rowsOf(method: string, path: string, query: string): Promise<Row[]> {
  const answer = await api.request(`${path.replaceAll(/\{[^}]+\}/g, NO_ID)}?${query}`, { method, headers });
  expect([method, path, query.slice(0, 60), answer.status]).toEqual([method, path, query.slice(0, 60), 400]);
  const { code, details, violations } = (await answer.json()) as { code: string; details: Row[]; violations?: Row[] };
  expect(code).toBe('invalid_request');
  return violations ?? details;
}

test('a parameter that a route does not know is refused by name, on every route', async () => {
  expect(operations.length).toBeGreaterThan(30);
  for (const { method, path } of operations)
    expect([path, await rowsOf(method, path, 'limti=1&owner=2')]).toEqual([
      path,
      ['limti', 'owner'].map((name) => ({ path: name, message: 'is not a known parameter', code: 'unknown_parameter' })),
    ]);
});

test('every parameter of every route refuses what it does not take, with its name and its rule', async () => {
  const tried = new Set<string>();
  for (const { method, path, names } of operations) {
    await noWaiting(db);
    for (const name of names) {
      const known = `${path} ${name}` in REFUSED ? `${path} ${name}` : name;
      tried.add(known);
      const refused = REFUSED[known];
      expect([path, name, refused]).toEqual([path, name, expect.anything()]);
      for (const [value, rule] of refused ?? []) {
        const rows = await rowsOf(method, path, new URLSearchParams({ [name]: value }).toString());
        expect([path, name, value, rows]).toEqual([
          path,
          name,
          value,
          [{ path: name, message: expect.stringMatching(rule), code: expect.any(String) }],
        ]);
      }
    }
  }
  expect([...tried].sort()).toEqual(Object.keys(REFUSED).sort());
});

test('a parameter that stands there twice is refused, on every route that knows it', async () => {
  for (const { method, path, names } of operations)
    for (const name of names) expect((await rowsOf(method, path, `${name}=1&${name}=1`)).map((row) => row.path)).toEqual([name]);
});
