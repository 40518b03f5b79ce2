import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { addCaller, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';
import { DOWNLOADS, LIVE_STREAMS, UPLOADS } from './places.ts';

const db = useDatabase();
const api = useApi();
let owner: Awaited<ReturnType<typeof addCaller>>;
let other: Awaited<ReturnType<typeof addCaller>>;
let taken: (() => void)[] = [];

beforeAll(async () => {
  owner = await addCaller(db);
  other = await addCaller(db);
});
afterEach(async () => {
  for (const leave of taken) leave();
  taken = [];
  await silenceJobBell();
});

const hold = (user_id: string, count: number, places = LIVE_STREAMS) => {
  for (let at = 0; at < count; at++) taken.push(places.hold(user_id));
};
const openStream = async (caller: typeof owner) =>
  api.request(`/api/jobs/${await addJob(db, caller.user_id)}/stream`, { headers: caller.headers });

test('a person who holds as many live streams as one may is told to close some; others open theirs', async () => {
  hold(owner.user_id, LIVE_STREAMS.a_person_max);
  const refused = await openStream(owner);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited', error: expect.stringContaining('close some') });
  const opened = await openStream(other);
  expect(opened.status).toBe(200);
  await opened.body?.cancel();
});

test('a stream that ends, and one that never began, give their place back', async () => {
  hold(owner.user_id, LIVE_STREAMS.a_person_max - 1);
  for (let turn = 0; turn < 3; turn++) {
    const opened = await openStream(owner);
    expect(opened.status).toBe(200);
    await opened.body?.cancel();
    await expect
      .poll(async () => (await api.request('/api/jobs/00000000-0000-4000-8000-000000000000/stream', owner)).status)
      .toBe(404);
  }
});

test('a person sends so many files at once; one that is refused, and one that ends, give their place back', async () => {
  const send = (caller: typeof owner, body = '{"prompt":"2+2?","completion":"4"}\n') =>
    api.request('/api/datasets/upload', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...caller.headers },
      body,
    });
  hold(owner.user_id, UPLOADS.a_person_max - 1, UPLOADS);
  for (const [body, status] of [
    ['', 400],
    ['{"prompt":"2+2?","completion":"4"}\n', 201],
    ['{}\n', 201],
  ] as const)
    expect((await send(owner, body)).status).toBe(status);
  hold(owner.user_id, 1, UPLOADS);
  const refused = await send(owner);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  expect((await send(other)).status).toBe(201);
});

describe.each([
  ['live streams', LIVE_STREAMS, /as many live streams as it can/],
  ['downloads', DOWNLOADS, /as many files at once as it can/],
  ['uploads', UPLOADS, /as many files at once as it can/],
])('%s', (_, places, sentence) => {
  test('of all people together are no more than the studio can hold', () => {
    for (let at = 0; at * places.a_person_max < places.in_all_max; at++)
      hold(`person ${at}`, Math.min(places.a_person_max, places.in_all_max - at * places.a_person_max), places);
    expect(() => places.hold('one more')).toThrow(sentence);
    taken.pop()?.();
    hold('one more', 1, places);
  });

  test('that end twice give one place back', () => {
    const [leave] = [places.hold('a'), hold('a', places.a_person_max - 1, places)];
    leave();
    leave();
    hold('a', 1, places);
    expect(() => places.hold('a')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  });
});
