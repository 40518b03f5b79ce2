/** Door C's side of /api/jobs: `?view=wizard`. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addBrowser, addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addDataset, addJob, addRow } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});
beforeEach(() => noWaiting(db));

const get = async (path: string, headers: Record<string, string> = owner.headers, init: RequestInit = {}) => {
  const answer = await api.request(path, { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

describe('the list of jobs', () => {
  const project_id = '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11';
  const ids: string[] = [];
  beforeAll(async () => {
    await addRow(db, 'lowrank.projects', { id: project_id, user_id: owner.user_id, name: 'One' });
    const dataset_id = await addDataset(db, owner.user_id, { project_id });
    const add = async (fields: Record<string, unknown>) => ids.unshift(await addJob(db, owner.user_id, fields));
    await add({ name: 'Alpha', status: 'completed' });
    await add({ name: 'Beta 100%', status: 'queued', dataset_id });
    await add({ name: 'alphabet', status: 'failed', dataset_id });
    await add({ name: 'Gamma', status: 'initializing', attempt: 1, slot: 1 });
  });
  const list = async (query: string, headers = owner.headers) => {
    const { status, body } = await get(`/api/jobs?view=wizard&${query}`, headers);
    expect([status, body]).toEqual([200, body]);
    return body as unknown as { jobs: { id: string; status: string }[]; total: number; limit: number; offset: number };
  };
  const found = async (query: string) => (await list(query)).jobs.map(({ id }) => ids.indexOf(id));

  test('takes limit and offset, which count before page', async () => {
    expect(await list('limit=2&offset=1')).toMatchObject({ total: 4, limit: 2, offset: 1 });
    expect(await found('limit=2&offset=1')).toEqual([1, 2]);
    expect(await found('limit=2&offset=3&page=1')).toEqual([3]);
    expect(await found('limit=3&page=2')).toEqual([3]);
  });

  test('is searched by name, without case, and % is a character', async () => {
    expect(await found('q=ALPHA')).toEqual([1, 3]);
    expect(await found('search=alpha&q=gamma')).toEqual([1, 3]);
    expect(await found('q=%25')).toEqual([2]);
    expect(await list('q=nothing')).toMatchObject({ jobs: [], total: 0 });
  });

  test('is narrowed to a project, which a job has by its dataset, and to a status in either door’s words', async () => {
    expect(await found(`project=${project_id}`)).toEqual([1, 2]);
    expect(await found(`project=${NO_ID}`)).toEqual([]);
    expect(await found('status=PENDING')).toEqual([0, 2]);
    expect((await list('status=PENDING')).jobs.map((job) => job.status)).toEqual(['PENDING', 'PENDING']);
    expect(await found('status=FAILED')).toEqual([1]);
    expect(await found('status=initializing')).toEqual([0]);
    expect(await found(`project=${project_id}&status=PENDING&q=beta`)).toEqual([2]);
  });

  test('tells a stranger nothing of it, whichever project they name', async () => {
    expect(await list(`project=${project_id}`, stranger.headers)).toMatchObject({ jobs: [], total: 0 });
  });

  test('takes the same of door B’s clients, who get their own envelope', async () => {
    const { body } = await get(`/api/jobs?status=PENDING&limit=1&offset=1`);
    expect(body).toMatchObject({
      success: true,
      data: { jobs: [{ id: ids[2], status: 'queued' }], pagination: { page: 1, limit: 1, total: 2, totalPages: 2 } },
    });
  });
});

describe('a read of one job', () => {
  test.each(['', '/metrics', '/logs', '/events', '/checkpoints', '/samples', '/artifacts'])(
    '%s is plain, with what door B has in its envelope',
    async (part) => {
      const id = await addJob(db, owner.user_id, { status: 'completed', attempt: 1 });
      const [plain, wrapped] = [await get(`/api/jobs/${id}${part}?view=wizard`), await get(`/api/jobs/${id}${part}`)];
      expect([plain.status, wrapped.status]).toEqual([200, 200]);
      expect(wrapped.body).toEqual({ success: true, data: wrapped.body.data });
      expect(Object.keys(plain.body)).toEqual(expect.arrayContaining(Object.keys(wrapped.body.data as object)));
      expect(plain.body).not.toHaveProperty('success');
      expect((await get(`/api/jobs/${id}${part}?view=wizard`, stranger.headers)).status).toBe(404);
    },
  );

  test('has its events’ statuses in capitals', async () => {
    const id = await addJob(db, owner.user_id);
    const events = async (query: string) => (await get(`/api/jobs/${id}/events?${query}`)).body;
    const { events: told } = (await events('view=wizard')) as unknown as { events: { to_status: string }[] };
    expect(told.map((event) => event.to_status)).toEqual(['PENDING']);
    const { data } = (await events('')) as unknown as { data: { events: { to_status: string }[] } };
    expect(data.events.map((event) => event.to_status)).toEqual(['queued']);
  });

  test('streams the job in door C’s words', async () => {
    const id = await addJob(db, owner.user_id);
    const first = async (query: string) => {
      const answer = await api.request(`/api/jobs/${id}/stream${query}`, { headers: owner.headers });
      const reader = answer.body?.getReader();
      let said = '';
      while (!/event: job\n[\s\S]*\n\n/.test(said)) said += Buffer.from((await reader?.read())?.value ?? []).toString();
      await reader?.cancel();
      return JSON.parse(/event: job\ndata: (.*)/.exec(said)?.[1] ?? '{}') as { status: string; celery_task_id?: string };
    };
    expect(await first('?view=wizard')).toMatchObject({ status: 'PENDING', celery_task_id: id });
    expect(await first('')).toMatchObject({ status: 'queued' });
  });
});

describe('a verb', () => {
  test.each([
    ['pause', 'PENDING'],
    ['resume', 'PENDING'],
    ['start', 'PENDING'],
    ['cancel', 'CANCELLED'],
  ])('%s answers the plain job with its status in capitals', async (verb, word) => {
    const id = await addJob(db, owner.user_id, { held_at: verb === 'resume' ? new Date() : null });
    const { status, body } = await get(`/api/jobs/${id}/${verb}?view=wizard`, owner.headers, { method: 'POST' });

    expect([status, body.status]).toEqual([200, word]);
  });
});

describe('a refusal', () => {
  const WIZARD = { details: expect.any(Array) as unknown };
  const DOOR_B = { details: expect.any(String) as unknown, violations: expect.any(Array) as unknown };
  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const submission = { name: 'n', recipe_id: 'lora', train: {}, resources: {}, base_model_id: NO_ID, dataset_id: NO_ID };

  test.each<[status: number, path: string, init: RequestInit, who: 'owner' | 'nobody' | 'reader' | 'site']>([
    [400, `/api/jobs/x?view=wizard`, {}, 'owner'],
    [400, `/api/jobs?view=wizard&nonsense=1`, {}, 'owner'],
    [401, `/api/jobs?view=wizard`, {}, 'nobody'],
    [403, `/api/jobs/${NO_ID}/cancel?view=wizard`, { method: 'POST' }, 'reader'],
    [403, `/api/jobs/${NO_ID}/cancel?view=wizard`, { method: 'POST' }, 'site'],
    [404, `/api/jobs/${NO_ID}?view=wizard`, {}, 'owner'],
    [404, `/api/jobs/${NO_ID}?view=wizard`, { method: 'DELETE' }, 'owner'],
    [404, `/api/jobs/${NO_ID}/nothing?view=wizard`, {}, 'owner'],
    [405, `/api/jobs/${NO_ID}?view=wizard`, { method: 'PUT' }, 'owner'],
    [415, `/api/jobs/${NO_ID}/cancel?view=wizard`, { method: 'POST', body: 'x' }, 'owner'],
  ])('%i of %s has the wizard’s envelope, and without its view door B’s', async (wanted, path, init, who) => {
    const reader = await addCaller(db, { scopes: ['read'] });
    const { cookie } = (await addBrowser(db)).headers;
    const headers = {
      owner: owner.headers,
      nobody: {} as Record<string, string>,
      reader: reader.headers,
      site: { cookie, origin: 'https://elsewhere.example' },
    }[who];
    const told = await get(path, headers, init);
    expect([told.status, told.body]).toEqual([wanted, expect.objectContaining(WIZARD)]);
    expect(told.body).not.toHaveProperty('violations');
    const other = await get(path.replace(/[?&]view=wizard/, '').replace('jobs&', 'jobs?'), headers, init);
    expect([other.status, other.body]).toEqual([wanted, expect.objectContaining(DOOR_B)]);
  });

  test('of a submission by scope or rate is in the words of its body, though that is refused unread', async () => {
    const reader = await addCaller(db, { scopes: ['read'] });
    expect(await get('/api/jobs', reader.headers, json(submission))).toMatchObject({ status: 403, body: WIZARD });
    expect(await get('/api/jobs', reader.headers, json({ preset_id: 'fast' }))).toMatchObject({ status: 403, body: DOOR_B });
    const busy = await addCaller(db);
    await db.asOwner('INSERT INTO lowrank.rate_limits (bucket, window_started_at, used) VALUES ($1, now(), 1000000)', [
      `submit:${busy.user_id}`,
    ]);
    expect(await get('/api/jobs', busy.headers, json(submission))).toMatchObject({ status: 429, body: WIZARD });
    expect(await get('/api/jobs', busy.headers, json({ preset_id: 'fast' }))).toMatchObject({ status: 429, body: DOOR_B });
    expect(await get('/api/jobs?nonsense=1', owner.headers, json(submission))).toMatchObject({ status: 400, body: WIZARD });
  });

  test('of somebody unknown is told by path and view alone: nobody’s body is read', async () => {
    expect(await get('/api/jobs', {}, json(submission))).toMatchObject({ status: 401, body: DOOR_B });
  });
});
