// How many small things one person may have, and what one more is told.
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { ENDED_KEYS_KEPT, ROW_CAPS } from '#/domain/row-caps.ts';
import { addBrowser, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
let owner: Awaited<ReturnType<typeof addBrowser>>;
let stranger: Awaited<ReturnType<typeof addBrowser>>;
beforeAll(async () => {
  owner = await addBrowser(db);
  stranger = await addBrowser(db);
});
beforeEach(() => noWaiting(db));

const one = (table: string) => `id IN (SELECT id FROM ${table} WHERE user_id = $1 LIMIT 1)`;

test.each([
  {
    thing: 'projects' as const,
    path: '/api/projects',
    body: { name: 'P' },
    add: `INSERT INTO lowrank.projects (user_id, name) SELECT $1, 'P' || n`,
    less: `DELETE FROM lowrank.projects WHERE ${one('lowrank.projects')}`,
  },
  {
    thing: 'templates' as const,
    path: '/api/recipes',
    body: { name: 'T', method: 'lora', defaults: {} },
    add: `INSERT INTO lowrank.recipes (user_id, name, method) SELECT $1, 'T' || n, 'lora'`,
    less: `DELETE FROM lowrank.recipes WHERE ${one('lowrank.recipes')}`,
  },
  {
    thing: 'API keys' as const,
    path: '/api/keys',
    body: { name: 'K' },
    add: `INSERT INTO identity.api_keys (user_id, name, prefix, scopes, hash) SELECT $1, 'K', 'p', ARRAY['read'], 'hash' || n`,
    less: `UPDATE identity.api_keys SET revoked_at = now() WHERE ${one('identity.api_keys')}`,
  },
])('of $thing one person has so many at most, also when they come at once, and one more is told the way out', async (scene) => {
  const { max, way_out } = ROW_CAPS[scene.thing];
  const make = (who = owner) => api.post(scene.path, scene.body, who.headers);
  await db.asOwner(`${scene.add} FROM generate_series(1, $2::integer) AS n`, [owner.user_id, max - 1]);
  const answers = await Promise.all([make(), make(), make()]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
  expect(await answers.find((answer) => answer.status === 409)?.json()).toMatchObject({
    code: 'limit_reached',
    message: `You have ${max} ${scene.thing}, the most that a person may have: ${way_out}`,
  });
  expect((await make(stranger)).status).toBe(201);
  await db.asOwner(scene.less, [owner.user_id]);
  expect([(await make()).status, (await make()).status]).toEqual([201, 409]);
});

test('keys that are over fall off the list, the oldest first', async () => {
  const { user_id, headers } = await addBrowser(db);
  await db.asOwner(
    `INSERT INTO identity.api_keys (user_id, name, prefix, scopes, hash, created_at, revoked_at, expires_at)
     SELECT $1, 'K' || n, 'p', ARRAY['read'], 'over' || n, now() - n * interval '1 hour',
       CASE WHEN n % 2 = 0 THEN now() END, now() - interval '1 s' FROM generate_series(1, $2::integer) AS n`,
    [user_id, ENDED_KEYS_KEPT + 5],
  );
  expect((await api.post('/api/keys', { name: 'New' }, headers)).status).toBe(201);
  const { keys } = (await (await api.request('/api/keys?limit=100', { headers })).json()) as { keys: { name: string }[] };
  expect(keys.map(({ name }) => name)).toEqual(['New', ...Array.from({ length: ENDED_KEYS_KEPT }, (_, n) => `K${n + 1}`)]);
});
