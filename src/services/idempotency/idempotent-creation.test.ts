import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NO_WISHES, type TrainingSpec } from '#/domain/training-spec.ts';
import { createJob } from '#/services/jobs/create-job.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addPerson } from '../../../test/factories.ts';
import { type IdempotencyClaim, idempotentCreation, requestHash } from './idempotent-creation.ts';

const db = useDatabase();
const ROUTE = 'POST /api/jobs';

let user_id: string;
let spec: TrainingSpec;
beforeAll(async () => {
  user_id = await addPerson(db);
  spec = {
    name: 'once',
    method: 'lora',
    dataset_id: await addDataset(db, user_id),
    base_model_id: await addBaseModel(db),
    hub_model: null,
    trigger_words: [],
    resolution: null,
    preset_id: 'fast',
    hyperparameters: {
      learning_rate: 1e-4,
      batch_size: 8,
      epochs: 1,
      rank: 8,
      alpha: 16,
      dropout: 0.05,
    } as TrainingSpec['hyperparameters'],
    gpu_config: null,
    max_steps: null,
    seed: 1,
    run: NO_WISHES,
    metadata: {},
    probe_only: false,
    limits: {},
    training_image_id: null,
    priority: 0,
    start: true,
  };
});
beforeEach(() => db.asOwner('TRUNCATE lowrank.training_jobs, lowrank.idempotency_keys CASCADE'));

const claim = (fields: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  route: ROUTE,
  key: 'k',
  request_hash: async () => requestHash({ a: 1 }),
  ...fields,
});
const create = (fields: Partial<IdempotencyClaim> = {}, who = user_id) =>
  createJob({ user_id: who, role: 'user' }, spec, idempotentCreation(who, claim(fields)));
const countJobs = async () => (await db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM lowrank.training_jobs'))[0]?.n;

describe('one key and one request', () => {
  test('make one thing under 50 at once; the rest hear of it or are told to wait', async () => {
    const settled = await Promise.allSettled(Array.from({ length: 50 }, () => create()));
    const ids = new Set(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.job.id] : [])));
    const codes = new Set(settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : [])));
    expect(ids.size).toBe(1);
    expect([...codes].filter((code) => code !== 'idempotency_in_progress')).toEqual([]);
    expect((await create()).job.id).toBe([...ids][0]);
    expect(await countJobs()).toBe(1);
  });

  test('make nothing when the creation fails, and may be sent again', async () => {
    const failing = { ...spec, dataset_id: '00000000-0000-4000-8000-000000000000' };
    await expect(createJob({ user_id, role: 'user' }, failing, idempotentCreation(user_id, claim()))).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await db.asOwner('SELECT 1 FROM lowrank.idempotency_keys')).toEqual([]);
    await create();
    expect(await countJobs()).toBe(1);
  });

  test('have one answer, the first that was kept, also where several came before it', async () => {
    await create();
    const keep = (text: string) => idempotentCreation(user_id, claim()).keepAnswer(Buffer.from(text));
    expect(String(await keep('queued'))).toBe('queued');
    expect(String(await keep('running'))).toBe('queued');
    const replay = idempotentCreation(user_id, claim());
    await createJob({ user_id, role: 'user' }, spec, replay);
    expect(String(replay.replayed()?.answer)).toBe('queued');
  });

  test('make a new thing after 24 hours', async () => {
    const first = await create();
    await db.asOwner(`UPDATE lowrank.idempotency_keys SET created_at = now() - interval '24 hours 1 second'`);
    expect((await create()).job.id).not.toBe(first.job.id);
    expect(await db.asOwner('SELECT key FROM lowrank.idempotency_keys')).toEqual([{ key: 'k' }]);
  });
});

describe('the same key', () => {
  test('with another request is refused', async () => {
    await create();
    await expect(create({ request_hash: async () => requestHash({ a: 2 }) })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  test('of another user or route is another key', async () => {
    await create();
    const stranger = await addPerson(db);
    await expect(create({}, stranger)).rejects.toMatchObject({ code: 'not_found' });
    await create({ route: 'POST /api/jobs/{id}/retry' });
    expect(await countJobs()).toBe(2);
  });
});

test('a request’s hash does not know the order of keys, but everything else', () => {
  expect(requestHash({ a: 1, b: { c: [1, 2], d: null } })).toBe(requestHash({ b: { d: null, c: [1, 2] }, a: 1 }));
  const others = [{ a: 1 }, { a: '1' }, { a: [1] }, { a: null }, {}, [], null, '', { 'a":1,"b': 1 }, { a: 1, b: 1 }];
  expect(new Set(others.map(requestHash)).size).toBe(others.length);
});
