import { beforeAll, expect, test } from 'vitest';
import { addBrowser, json, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const NO_ID = '00000000-0000-4000-8000-000000000000';
const api = useApi();
let admin: Awaited<ReturnType<typeof addBrowser>>;
let user: Awaited<ReturnType<typeof addBrowser>>;

beforeAll(async () => {
  admin = await addBrowser(db, { role: 'administrator' });
  user = await addBrowser(db);
});

const get = async <T>(path: string, headers = admin.headers) => {
  const answer = await api.request(path, { headers });
  return { status: answer.status, body: (await answer.json()) as T };
};
const invite = async (email: string) => {
  const answer = await api.request('/api/invitations', json({ email }, admin.headers));
  return (await answer.json()) as { id: string; url: string };
};
const revoke = async (id: string, headers = admin.headers) =>
  (await api.request(`/api/invitations/${id}`, { method: 'DELETE', headers })).status;
const join = async (url: string, email: string) => {
  const invitation = url.split('#')[1]?.split('&')[0];
  return (await api.request('/api/sign-up', json({ invitation, email, password: 'a long enough secret' }))).status;
};
interface Invitations {
  invitations: { id: string; email: string; invited_by: string | null }[];
  total: number;
}

test('an administrator sees everybody in the order in which they came, and no secret of theirs', async () => {
  const { status, body } = await get<{ users: Record<string, unknown>[]; total: number }>('/api/users?limit=1&offset=1');
  expect([status, body.total]).toEqual([200, 2]);
  expect(body.users).toEqual([
    {
      id: user.user_id,
      name: 'Test Person',
      email: expect.any(String),
      role: 'user',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      disabled_at: null,
      active_jobs_max: null,
    },
  ]);
});

test('an invitation is open until it is accepted, and its token is told by no list', async () => {
  const { id, url } = await invite('ada@example.org');
  const { body } = await get<Invitations>('/api/invitations');
  expect(body).toMatchObject({ total: 1, invitations: [{ id, email: 'ada@example.org', invited_by: 'Test Person' }] });
  expect(JSON.stringify(body)).not.toContain(url.split('#')[1]?.slice(0, 20));
  expect(await join(url, 'ada@example.org')).toBe(201);
  expect((await get<Invitations>('/api/invitations')).body.total).toBe(0);
  expect(await revoke(id)).toBe(404);
});

test('an invitation that was taken back opens nothing, and is taken back once', async () => {
  const { id, url } = await invite('eve@example.org');
  expect([await revoke(id), await revoke(id)]).toEqual([204, 404]);
  expect(await join(url, 'eve@example.org')).toBe(403);
});

test('one whose time is over stays in the list until it is taken back', async () => {
  const { id } = await invite('late@example.org');
  await db.asOwner(`UPDATE identity.invitations SET expires_at = now() - interval '1 day' WHERE id = $1`, [id]);
  expect((await get<Invitations>('/api/invitations')).body.invitations).toMatchObject([{ id }]);
  expect(await revoke(id)).toBe(204);
});

test('who is no administrator learns neither who is here nor who is asked, and takes nothing back', async () => {
  const { id } = await invite('bob@example.org');
  expect((await get('/api/users', user.headers)).status).toBe(403);
  expect((await get('/api/invitations', user.headers)).status).toBe(403);
  // The same for what is there and what is not.
  expect([await revoke(id, user.headers), await revoke(NO_ID, user.headers)]).toEqual([403, 403]);
  expect(await revoke(id)).toBe(204);
});
