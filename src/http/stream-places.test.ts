import { afterEach, beforeAll, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { addCaller, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';
import { holdPlace, OPEN_A_PERSON_MAX, OPEN_MAX } from './stream-places.ts';

const db = useDatabase();
const api = useApi();
let owner: Awaited<ReturnType<typeof addCaller>>;
let other: Awaited<ReturnType<typeof addCaller>>;
let places: (() => void)[] = [];

beforeAll(async () => {
  owner = await addCaller(db);
  other = await addCaller(db);
});
afterEach(async () => {
  for (const leave of places) leave();
  places = [];
  await silenceJobBell();
});

const hold = (user_id: string, count: number) => {
  for (let at = 0; at < count; at++) places.push(holdPlace(user_id));
};
const openStream = async (caller: typeof owner) =>
  api.request(`/api/jobs/${await addJob(db, caller.user_id)}/stream`, { headers: caller.headers });

test('a person who holds as many live streams as one may is told to close some; others open theirs', async () => {
  hold(owner.user_id, OPEN_A_PERSON_MAX);
  const refused = await openStream(owner);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited', error: expect.stringContaining('close some') });
  const opened = await openStream(other);
  expect(opened.status).toBe(200);
  await opened.body?.cancel();
});

test('a stream that ends, and one that never began, give their place back', async () => {
  hold(owner.user_id, OPEN_A_PERSON_MAX - 1);
  for (let turn = 0; turn < 3; turn++) {
    const opened = await openStream(owner);
    expect(opened.status).toBe(200);
    await opened.body?.cancel();
    await expect
      .poll(async () => (await api.request('/api/jobs/00000000-0000-4000-8000-000000000000/stream', owner)).status)
      .toBe(404);
  }
});

test('all people together hold no more than the studio can', () => {
  for (let at = 0; at * OPEN_A_PERSON_MAX < OPEN_MAX; at++)
    hold(`person ${at}`, Math.min(OPEN_A_PERSON_MAX, OPEN_MAX - at * OPEN_A_PERSON_MAX));
  expect(() => holdPlace('one more')).toThrow(/as many live streams as it can/);
});
