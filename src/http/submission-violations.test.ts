// What a body of POST /api/jobs is refused for: its own faults, each once, and none of the other door's.
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
const ID = '00000000-0000-4000-8000-000000000000';
const B = { dataset_id: ID, preset_id: 'fast', base_model_id: ID };
const C = {
  name: 'W',
  base_model_id: ID,
  dataset_id: ID,
  recipe_id: 'lora',
  train: { max_steps: 20, global_batch_size: 8 },
  resources: { gpus: 1 },
};
let headers: Record<string, string>;
beforeAll(async () => {
  headers = (await addCaller(db)).headers;
});
beforeEach(() => noWaiting(db));

test.each<[what: string, body: unknown, rows: [path: string, code: string][]]>([
  ['an unknown field at door B', { ...B, foo: 1 }, [['foo', 'unknown_field']]],
  ['an unknown field at door C', { ...C, foo: 1 }, [['foo', 'unknown_field']]],
  ['an unknown field alone', { dataset_id: ID, foo: 1 }, [['foo', 'unknown_field']]],
  ['a nested one at door B', { ...B, hyperparameters: { warp: 1 } }, [['hyperparameters.warp', 'unknown_field']]],
  ['a nested one at door C', { ...C, train: { ...C.train, steps: 1 } }, [['train.steps', 'unknown_field']]],
  [
    'two unknown fields',
    { ...B, foo: 1, bar: 2 },
    [
      ['bar', 'unknown_field'],
      ['foo', 'unknown_field'],
    ],
  ],
  ['door B’s field at door C', { ...C, preset_id: 'fast' }, [['preset_id', 'invalid']]],
  [
    'door B’s field and an unknown one at door C',
    { ...C, hyperparameters: {}, foo: 1 },
    [
      ['foo', 'unknown_field'],
      ['hyperparameters', 'invalid'],
    ],
  ],
  [
    'door B’s name for a field that lies deeper',
    { ...C, train: { ...C.train, preset_id: 1 } },
    [['train.preset_id', 'unknown_field']],
  ],
  ['a wrong type at door B', { ...B, name: 5 }, [['name', 'invalid_type']]],
  ['a wrong type at door C', { ...C, train: { ...C.train, max_steps: '20' } }, [['train.max_steps', 'invalid_type']]],
  [
    'a wrong type and an unknown field',
    { ...B, dataset_id: 7, foo: 1 },
    [
      ['dataset_id', 'invalid_type'],
      ['foo', 'unknown_field'],
    ],
  ],
  ['nothing that is required at door B', {}, [['dataset_id', 'required']]],
  ['no object', [], [['body', 'invalid_type']]],
])('%s is told as it is, and nothing beside it', async (_, body, rows) => {
  const answer = await api.post('/api/jobs', body, headers);
  const { violations, details } = (await answer.json()) as Record<'violations' | 'details', { path: string; code: string }[]>;
  const told = (violations ?? details).map(({ path, code }) => [path, code]).sort();
  expect([answer.status, told]).toEqual([400, rows]);
});

test.each([
  ['B', B, 404],
  ['C', C, 422],
])('a body of door %s without a fault gets as far as what it names', async (_, body, status) => {
  expect((await api.post('/api/jobs', body, headers)).status).toBe(status);
});
