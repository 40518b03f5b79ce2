import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
let caller: Awaited<ReturnType<typeof addCaller>>;
let job_id: string;
beforeAll(async () => {
  caller = await addCaller(db);
  job_id = await addJob(db, caller.user_id, { name: 'Answers', status: 'completed', current_cost: 7.1, final_cost: 7.1 });
  await db.asOwner(
    `INSERT INTO lowrank.cost_records (job_id, user_id, type, billing_period, unit_price, quantity, amount)
     VALUES ($1, $2, 'compute', '2026-03-01', 3.5, 2, 7), ($1, $2, 'storage', '2026-03-01', 0.1, 1, 0.1)`,
    [job_id, caller.user_id],
  );
});
beforeEach(() => noWaiting(db));

const ask = async (query = '', headers: Record<string, string> = caller.headers) => {
  const answer = await api.request(`/api/costs${query}`, { headers });
  return { status: answer.status, body: await answer.json() };
};
const MARCH = {
  billing_period: '2026-03',
  jobs: 1,
  compute: { hours: 2, amount: 7 },
  storage: { gb: 1, amount: 0.1 },
  amount: 7.1,
};

describe('GET /api/costs', () => {
  test('tells months, and each job’s part in them', async () => {
    const page = { amount: 7.1, total: 1, total_is_estimate: false, limit: 50, offset: 0, next_cursor: null };
    expect(await ask()).toEqual({ status: 200, body: { ...page, costs: [{ ...MARCH, job: null }] } });
    const job = { id: job_id, name: 'Answers', status: 'completed' };
    const by_job = { ...page, costs: [{ ...MARCH, job }] };
    for (const query of ['?by=job', '?by=job&billing_period=2026-03', `?by=job&job_id=${job_id}`])
      expect((await ask(query)).body).toEqual(by_job);
    for (const query of ['?billing_period=2026-04', `?job_id=${caller.user_id}`])
      expect((await ask(query)).body).toEqual({ ...page, costs: [], amount: 0, total: 0 });
    expect((await ask('?limit=1&offset=1')).body).toEqual({ ...page, costs: [], limit: 1, offset: 1 });
  });

  test('stands beside the job’s own figures', async () => {
    const { data } = await (await api.request(`/api/jobs/${job_id}`, { headers: caller.headers })).json();
    expect(data).toMatchObject({ hourly_rate: 0, current_cost: 7.1, final_cost: 7.1, estimated_total_cost: null });
  });

  test('tells nobody else’s, and only whom it knows', async () => {
    const stranger = await addCaller(db);
    expect((await ask('', stranger.headers)).body).toMatchObject({ costs: [], amount: 0, total: 0 });
    expect((await ask(`?by=job&job_id=${job_id}`, stranger.headers)).body).toMatchObject({ costs: [], total: 0 });
    expect((await ask('', {})).status).toBe(401);
  });

  test.each([
    ['?by=year', 'by'],
    ['?billing_period=2026-13', 'billing_period'],
    ['?billing_period=2026-3', 'billing_period'],
    ['?billing_period=0000-01', 'billing_period'],
    ['?job_id=7', 'job_id'],
    ['?limit=501', 'limit'],
    ['?user_id=7', 'user_id'],
  ])('refuses %s', async (query, path) => {
    const { status, body } = await ask(query);
    expect([status, body.details]).toEqual([400, [{ path, code: expect.any(String), message: expect.any(String) }]]);
  });

  test('is read and nothing else', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await api.request('/api/costs', { method, headers: caller.headers });
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD']);
    }
  });
});
