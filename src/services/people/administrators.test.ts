import { beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '#/services/context.ts';
import { useDatabase } from '../../../test/database.ts';
import { addPerson } from '../../../test/factories.ts';
import { changePerson } from './change-person.ts';
import { leave } from './leave.ts';

const db = useDatabase();
const WORDS = { confirm: 'delete my account' };
let first: Context;
let second: Context;

// One of the two came by a token of the identity provider: that makes no difference.
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.rate_limits CASCADE');
  const add = async (is_subject: boolean): Promise<Context> => ({
    user_id: await addPerson(db, { role: 'administrator', is_subject }),
    role: 'administrator',
  });
  [first, second] = [await add(false), await add(true)];
});

const inOffice = async () =>
  (await db.asOwner(`SELECT FROM identity.users WHERE role = 'administrator' AND disabled_at IS NULL`)).length;
const lockOut = (by: Context, whom: Context) => changePerson(by, whom.user_id, { disabled: true });

/** Runs both while every row of people is held, until both wait: neither has written before the other has begun. */
async function atOnce(a: () => Promise<unknown>, b: () => Promise<unknown>): Promise<string[]> {
  await db.asOwner('BEGIN');
  await db.asOwner('SELECT FROM identity.users FOR UPDATE');
  const both = Promise.allSettled([a(), b()]);
  const waiting = async () =>
    (
      await db.asOwner<{ n: number }>(
        `SELECT count(DISTINCT l.pid)::int AS n FROM pg_locks l WHERE NOT l.granted
           AND l.pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`,
      )
    )[0]?.n;
  await expect.poll(waiting, { timeout: 20_000 }).toBe(2);
  await db.asOwner('COMMIT');
  return (await both).map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code)).sort();
}

describe('of two administrators at the same time', () => {
  test('who lock each other out one stays', async () => {
    expect(
      await atOnce(
        () => lockOut(first, second),
        () => lockOut(second, first),
      ),
    ).toEqual(['done', 'forbidden']);
    expect(await inOffice()).toBe(1);
  });

  test('who both leave one stays', async () => {
    expect(
      await atOnce(
        () => leave(first, WORDS),
        () => leave(second, WORDS),
      ),
    ).toEqual(['conflict', 'done']);
    expect(await inOffice()).toBe(1);
  });

  test('of whom one leaves and locks out the other, or the other way round, one stays', async () => {
    const ends = await atOnce(
      () => leave(first, WORDS),
      () => lockOut(first, second),
    );
    expect([
      ['conflict', 'done'],
      ['done', 'forbidden'],
    ]).toContainEqual(ends);
    expect(await inOffice()).toBe(1);
  });
});

test('who was locked out a moment ago decides about nobody, though they are still believed', async () => {
  await lockOut(first, second);
  await expect(changePerson(second, first.user_id, { active_jobs_max: 1 })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(changePerson(first, second.user_id, { active_jobs_max: 1 })).resolves.toMatchObject({ active_jobs_max: 1 });
});
