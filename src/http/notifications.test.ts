import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addCaller, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
let owner: { user_id: string; headers: { authorization: string } };
let stranger: typeof owner;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});

interface Told {
  id: string;
  type: string;
  read: boolean;
}
interface Page {
  notifications: Told[];
  total: number;
  unread: number;
  next_cursor: string | null;
}

/** Notifications of a person, the last one newest. */
async function tell(user_id: string, ...types: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [at, type] of types.entries()) {
    const id = randomUUID();
    await db.asOwner(
      `INSERT INTO lowrank.notifications (id, user_id, type, title, message, priority, action_url, metadata, created_at)
       VALUES ($1, $2, $3, 'A title', 'A message', 'high', '/jobs/1', '{"job_id": "1"}', timestamptz '2026-01-01' + make_interval(secs => $4))`,
      [id, user_id, type, at],
    );
    ids.push(id);
  }
  return ids;
}

const list = async (query = '', who = owner): Promise<Page> => {
  const answer = await api.request(`/api/notifications?${query}`, { headers: who.headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page;
};
const post = (path: string, who = owner) => api.request(path, { method: 'POST', headers: who.headers });

describe('notifications', () => {
  beforeEach(() => db.asOwner('DELETE FROM lowrank.notifications'));

  test('are listed whole, newest first, to whom they are for and to nobody else', async () => {
    const [queued, failed] = await tell(owner.user_id, 'job_queued', 'job_failed');
    await tell(stranger.user_id, 'dataset_ready');
    const page = await list();
    expect(page).toEqual({
      notifications: [
        {
          id: failed,
          type: 'job_failed',
          title: 'A title',
          message: 'A message',
          priority: 'high',
          read: false,
          action_url: '/jobs/1',
          metadata: { job_id: '1' },
          created_at: '2026-01-01T00:00:01.000Z',
        },
        expect.objectContaining({ id: queued }),
      ],
      total: 2,
      total_is_estimate: false,
      unread: 2,
      limit: 50,
      offset: 0,
      next_cursor: null,
    });
    expect((await list('', stranger)).notifications.map((one) => one.type)).toEqual(['dataset_ready']);
  });

  test('are paged by offset and by cursor, and what comes meanwhile moves no page of a cursor', async () => {
    const ids = (await tell(owner.user_id, ...Array<string>(5).fill('job_started'))).reverse();
    const first = await list('limit=2');
    expect(first.notifications.map((one) => one.id)).toEqual(ids.slice(0, 2));
    expect((await list('limit=2&offset=4')).notifications.map((one) => one.id)).toEqual(ids.slice(4));
    await db.asOwner(
      `INSERT INTO lowrank.notifications (user_id, type, title, message) VALUES ($1, 'job_completed', 'new', 'new')`,
      [owner.user_id],
    );
    const second = await list(`limit=2&after=${first.next_cursor}`);
    expect(second.notifications.map((one) => one.id)).toEqual(ids.slice(2, 4));
    const third = await list(`limit=2&after=${second.next_cursor}`);
    expect([third.notifications.map((one) => one.id), third.next_cursor]).toEqual([ids.slice(4), null]);
  });

  test('a cursor of somebody else’s is no cursor, like one of nothing', async () => {
    const [theirs] = await tell(stranger.user_id, 'job_queued');
    for (const after of [theirs, randomUUID()]) {
      const answer = await api.request(`/api/notifications?after=${after}`, { headers: owner.headers });
      expect([answer.status, await answer.json()]).toEqual([
        400,
        expect.objectContaining({ details: [expect.objectContaining({ path: 'after', code: 'unknown_cursor' })] }),
      ]);
    }
  });

  test('are filtered by type and by what is unread, and counted so', async () => {
    const [first = '', , third = ''] = await tell(owner.user_id, 'job_queued', 'job_failed', 'job_queued');
    await post(`/api/notifications/${first}/mark-read`);
    const ids = async (query: string) => {
      const { notifications, total, unread } = await list(query);
      return [notifications.map((one) => one.id), total, unread];
    };
    expect(await ids('type=job_queued')).toEqual([[third, first], 2, 2]);
    expect(await ids('type=job_queued&unread_only=true')).toEqual([[third], 1, 2]);
    expect((await ids('unread_only=false'))[1]).toBe(3);
  });

  test('are marked as read once and for all by their owner, one or all of them', async () => {
    const [one, , other] = await tell(owner.user_id, 'job_queued', 'job_started', 'job_completed');
    for (let i = 0; i < 2; i++) {
      const answer = await post(`/api/notifications/${one}/mark-read`);
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ id: one, read: true })]);
    }
    expect((await list()).unread).toBe(2);
    expect(await (await post('/api/notifications/mark-all-read')).json()).toEqual({ marked_read: 2 });
    expect(await (await post('/api/notifications/mark-all-read')).json()).toEqual({ marked_read: 0 });
    expect((await list('unread_only=true')).notifications).toEqual([]);
    expect((await list()).notifications[0]).toMatchObject({ id: other, read: true });
  });

  test('of somebody else are neither found nor marked', async () => {
    const [theirs] = await tell(stranger.user_id, 'job_queued');
    const answer = await post(`/api/notifications/${theirs}/mark-read`);
    expect([answer.status, (await answer.json()).code]).toEqual([404, 'not_found']);
    expect(await (await post('/api/notifications/mark-all-read')).json()).toEqual({ marked_read: 0 });
    expect((await list('', stranger)).unread).toBe(1);
  });

  test('a key that only reads lists them and marks none', async () => {
    const reader = await addCaller(db, { scopes: ['read'] });
    const [one] = await tell(reader.user_id, 'job_queued');
    expect((await list('', reader)).total).toBe(1);
    expect((await post(`/api/notifications/${one}/mark-read`, reader)).status).toBe(403);
  });
});
