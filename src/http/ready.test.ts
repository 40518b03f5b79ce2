import { afterEach, expect, test, vi } from 'vitest';
import { useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
const TABLE = 'lowrank_migrations.__drizzle_migrations';
/** Longer than an answer is kept. */
const LATER_MS = 10_000;
afterEach(() => vi.useRealTimers());

const remove = () =>
  db.asOwner<{ hash: string; created_at: string }>(
    `DELETE FROM ${TABLE} WHERE created_at = (SELECT max(created_at) FROM ${TABLE}) RETURNING hash, created_at`,
  );
const add = (hash: string, created_at: string) =>
  db.asOwner(`INSERT INTO ${TABLE} (hash, created_at) VALUES ($1, $2)`, [hash, created_at]);

async function told(): Promise<unknown[]> {
  vi.advanceTimersByTime(LATER_MS);
  const answer = await api.request('/api/ready');
  const { code, message, status } = (await answer.json()) as Record<string, string>;
  return [answer.status, answer.headers.get('retry-after'), code ?? status, message];
}

test('the process is ready with exactly its own migrations, and says otherwise what is wrong', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const [last] = await remove();
  if (last === undefined) throw new Error('there is no migration');
  expect(await told()).toEqual([503, '30', 'database_unavailable', expect.stringMatching(/lacks 1 .*-- migrate/)]);
  await add(last.hash, last.created_at);
  expect(await told()).toEqual([200, null, 'ready', undefined]);
  await add('x', String(Number(last.created_at) + 1));
  expect(await told()).toEqual([503, '30', 'database_unavailable', expect.stringMatching(/newer Lowrank/)]);
  await remove();
  expect(await told()).toEqual([200, null, 'ready', undefined]);
  // Before the migration that lets it be asked, and before all of them.
  await db.asOwner('ALTER FUNCTION lowrank.newest_migration() RENAME TO not_yet');
  expect(await told()).toEqual([503, '30', 'database_unavailable', expect.stringMatching(/lacks \d\d /)]);
  await db.asOwner('ALTER FUNCTION lowrank.not_yet() RENAME TO newest_migration');
  await db.asOwner(`ALTER TABLE ${TABLE} RENAME TO not_yet`);
  expect(await told()).toEqual([503, '30', 'database_unavailable', expect.stringMatching(/lacks \d\d /)]);
});
