import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Activity } from '#/contract/activity.ts';
import { ACTIVITY_ENTITIES, CLIENT_ENTITY_TYPES } from '#/domain/activity.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
const folder = mkdtempSync(join(tmpdir(), 'lowrank-activity-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  connectStorage(localFolder(folder));
  owner = await addCaller(db);
  stranger = await addCaller(db);
});
beforeEach(async () => {
  await noWaiting(db);
  await db.asOwner('DELETE FROM lowrank.activities');
});

interface Feed {
  activities: Activity[];
  total: number;
  limit: number;
  next_cursor: string | null;
}
const feed = async (query = '', headers: Record<string, string> = owner.headers) =>
  (await (await api.request(`/api/activity?${query}`, { headers })).json()) as Feed;
const tell = (body: unknown, headers: Record<string, string> = owner.headers) => api.post('/api/activity', body, headers);
const event = (entity_id: string, fields: Record<string, unknown> = {}) => ({
  event_type: 'job_completed',
  entity_type: 'job',
  entity_id,
  ...fields,
});

describe('the feed', () => {
  test('has what the system did, written with it: a job submitted and cancelled, a model registered', async () => {
    const project = (await (await api.post('/api/projects', { name: 'P' }, owner.headers)).json()) as { id: string };
    const dataset_id = await addDataset(db, owner.user_id, { project_id: project.id });
    const base_model_id = await addBaseModel(db);
    const answer = await api.post('/api/jobs', { dataset_id, base_model_id, name: 'First try' }, owner.headers);
    const job = ((await answer.json()) as { data: { id: string } }).data;
    await cancelJob({ user_id: owner.user_id, role: 'user' }, job.id);
    const registered = await api.post('/api/base-models', { hf_repo_id: 'acme/feed' }, owner.headers);
    const model = (await registered.json()) as { id: string };
    const { activities, total, limit } = await feed();
    expect([total, limit]).toEqual([3, 100]);
    expect(activities).toMatchObject([
      { event_type: 'model_created', entity_type: 'model', entity_id: model.id, message: 'acme/feed', project_id: null },
      { event_type: 'job_cancelled', entity_id: job.id, status: 'cancelled', project_id: project.id },
      {
        event_type: 'job_created',
        entity_type: 'job',
        entity_id: job.id,
        status: 'queued',
        title: 'Training submitted',
        message: 'First try',
        user_id: owner.user_id,
        project_id: project.id,
        read: false,
        metadata: { source: 'system', dataset_id, base_model_id },
      },
    ]);
    expect((await feed(`project_id=${project.id}`)).total).toBe(2);
    expect((await feed('', stranger.headers)).total).toBe(0);
  });

  test('is filtered by every column that it can be, and paged by offset and cursor', async () => {
    const job = await addJob(db, owner.user_id);
    const model = await addBaseModel(db, { created_by: owner.user_id });
    for (const body of [event(job), event(job, { event_type: 'job_failed' })]) await tell(body);
    await tell({ event_type: 'model_created', entity_type: 'model', entity_id: model });
    const total = async (query: string) => (await feed(query)).total;
    expect(await total('event_type=job_failed')).toBe(1);
    expect(await total('entity_type=job')).toBe(2);
    expect(await total('entity_type=transfer')).toBe(0);
    expect(await total(`user_id=${owner.user_id}`)).toBe(3);
    expect(await total(`user_id=${stranger.user_id}`)).toBe(0);
    expect(await total(`project_id=${NO_ID}`)).toBe(0);
    const first = await feed('limit=2');
    const second = await feed(`limit=2&after=${first.next_cursor}`);
    expect(second.activities).toEqual((await feed('limit=2&offset=2')).activities);
    expect([...first.activities, ...second.activities].map((one) => one.event_type)).toEqual([
      'model_created',
      'job_failed',
      'job_completed',
    ]);
  });

  test('is read one by one or all at once, and only by its owner', async () => {
    const job = await addJob(db, owner.user_id);
    const ids = [];
    for (const event_type of ['job_started', 'job_failed', 'job_created'])
      ids.push(((await (await tell(event(job, { event_type }))).json()) as Activity).id);
    const mark = (path: string, headers: Record<string, string>, body?: unknown) =>
      body === undefined ? api.request(path, { method: 'POST', headers }) : api.post(path, body, headers);
    expect((await mark(`/api/activity/${ids[0]}/mark-read`, stranger.headers)).status).toBe(404);
    expect(await (await mark('/api/activity/mark-all-read', stranger.headers)).json()).toEqual({ marked_read: 0 });
    expect((await feed('unread_only=true')).total).toBe(3);
    expect(await (await mark(`/api/activity/${ids[0]}/mark-read`, owner.headers)).json()).toMatchObject({
      id: ids[0],
      read: true,
    });
    expect((await feed('unread_only=true')).total).toBe(2);
    expect((await feed('unread_only=false')).total).toBe(3);
    const all = (body: unknown) => mark('/api/activity/mark-all-read', owner.headers, body);
    const refused = await all({ user_id: stranger.user_id });
    expect([refused.status, ((await refused.json()) as { details: unknown[] }).details]).toMatchObject([
      400,
      [{ path: 'user_id', code: 'not_oneself' }],
    ]);
    expect(await (await all({ project_id: NO_ID })).json()).toEqual({ marked_read: 0 });
    expect(await (await all({ user_id: owner.user_id })).json()).toEqual({ marked_read: 2 });
    expect((await feed('unread_only=true')).total).toBe(0);
  });
});

describe('what a client tells', () => {
  test('is the caller’s, and says that a client told it, whatever it says itself', async () => {
    const job = await addJob(db, owner.user_id);
    const told = {
      title: 'Done',
      message: 'by hand',
      status: 'completed',
      user_id: owner.user_id,
      metadata: { source: 'system', x: 1 },
    };
    const answer = await tell(event(job, told));
    expect([answer.status, await answer.json()]).toEqual([
      201,
      expect.objectContaining({
        ...told,
        user_id: owner.user_id,
        entity_id: job,
        metadata: { source: 'client', x: 1 },
        read: false,
      }),
    ]);
    expect((await feed('', stranger.headers)).total).toBe(0);
  });

  test('in somebody else’s name is refused, and nobody’s feed has it', async () => {
    const job = await addJob(db, owner.user_id);
    for (const user_id of [stranger.user_id, NO_ID]) {
      const answer = await tell(event(job, { user_id }));
      const { details } = (await answer.json()) as { details: unknown[] };
      expect([answer.status, details]).toMatchObject([400, [{ path: 'user_id', code: 'not_oneself' }]]);
    }
    expect([(await feed()).total, (await feed('', stranger.headers)).total]).toEqual([0, 0]);
  });

  test.each([
    ['turns around what follows', 'Training \u202edetelpmoc'],
    ['has no width', 'Training\u200b completed'],
    ['is a control', 'Training\u0007 completed'],
    ['is drawn as nothing', 'Training\u3164completed'],
  ])('with a character that %s is refused, in each of its texts', async (_, text) => {
    const job = await addJob(db, owner.user_id);
    for (const field of ['title', 'message', 'status']) {
      const answer = await tell(event(job, { [field]: text }));
      const { details } = (await answer.json()) as { details: { path: string }[] };
      expect([field, answer.status, details.map(({ path }) => path)]).toEqual([field, 400, [field]]);
    }
    expect((await feed()).total).toBe(0);
    expect((await tell(event(job, { message: 'Two\nlines, می‌خواهم and 👩‍🔬' }))).status).toBe(201);
  });

  test('is not doubled where the system told it, whatever it says', async () => {
    const dataset_id = await addDataset(db, owner.user_id);
    const base_model_id = await addBaseModel(db);
    const answer = await api.post('/api/jobs', { dataset_id, base_model_id }, owner.headers);
    const { id } = ((await answer.json()) as { data: { id: string } }).data;
    const [written] = (await feed()).activities;
    const again = await tell(event(id, { event_type: 'job_created', title: 'Mine' }));
    expect([again.status, await again.json()]).toEqual([201, written]);
    expect((await feed()).total).toBe(1);
    await tell(event(id, { event_type: 'job_started' }));
    await tell(event(id, { event_type: 'job_started' }));
    expect((await feed()).total).toBe(3);
  });

  test('with one Idempotency-Key is told once', async () => {
    const job = await addJob(db, owner.user_id);
    const headers = { ...owner.headers, 'idempotency-key': 'told' };
    const first = await (await tell(event(job), headers)).json();
    expect(await (await tell(event(job), headers)).json()).toEqual(first);
    expect((await tell(event(job, { event_type: 'job_failed' }), headers)).status).toBe(409);
    expect((await feed()).total).toBe(1);
  });

  test('of a thing of somebody else’s, or of none, is refused alike', async () => {
    const theirs: Record<string, string> = {
      job: await addJob(db, stranger.user_id),
      dataset: await addDataset(db, stranger.user_id),
      model: await addBaseModel(db, { created_by: stranger.user_id }),
      experiment: NO_ID,
      transfer: NO_ID,
    };
    const own: Record<string, string> = {
      job: await addJob(db, owner.user_id),
      dataset: await addDataset(db, owner.user_id),
      model: await addBaseModel(db, { created_by: owner.user_id }),
    };
    for (const entity_type of CLIENT_ENTITY_TYPES) {
      const event_type = Object.entries(ACTIVITY_ENTITIES).find(([, kinds]) =>
        (kinds as readonly string[]).includes(entity_type),
      )?.[0];
      const of = async (entity_id: string | undefined) => {
        const answer = await tell({ event_type, entity_type, entity_id });
        const { request_id, ...body } = (await answer.json()) as Record<string, unknown>;
        return [answer.status, body];
      };
      expect(await of(theirs[entity_type])).toEqual(await of(NO_ID));
      expect((await of(theirs[entity_type]))[0]).toBe(404);
      if (own[entity_type] !== undefined) expect((await of(own[entity_type]))[0]).toBe(201);
    }
    expect((await feed('', stranger.headers)).total).toBe(0);
  });

  test('of an event that happens to no such thing is refused', async () => {
    const answer = await tell({ event_type: 'dataset_imported', entity_type: 'job', entity_id: NO_ID });
    const { details } = (await answer.json()) as { details: { path: string }[] };
    expect([answer.status, details.map((row) => row.path)]).toEqual([400, ['entity_type']]);
  });
});
