import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { asUser } from './tenancy.ts';

useDatabase();

test('one person’s reads, however many and slow, leave others their connections', async () => {
  const [busy, other] = [randomUUID(), randomUUID()];
  const over = Promise.withResolvers<void>();
  const held = Array.from({ length: 30 }, () =>
    asUser(busy, async (tx) => {
      await tx.execute(sql`SELECT 1`);
      await over.promise;
      return 'answered';
    }),
  );
  const answer = await asUser(other, async (tx) => (await tx.execute<{ one: number }>(sql`SELECT 1 AS one`)).rows[0]?.one);
  expect(answer).toBe(1);
  over.resolve();
  expect(new Set(await Promise.all(held))).toEqual(new Set(['answered']));
});

test('a statement that takes longer than any may is told as a database that does not answer', async () => {
  const slow = asUser(randomUUID(), async (tx) => {
    await tx.execute(sql`SET LOCAL statement_timeout = 50`);
    await tx.execute(sql`SELECT pg_sleep(10)`);
  });
  await expect(slow).rejects.toMatchObject({ code: 'database_unavailable', retry_after_s: 5 });
});
