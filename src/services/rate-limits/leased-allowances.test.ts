import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '#/domain/app-error.ts';
import { useDatabase } from '../../../test/database.ts';
import { LEASED_AT_ONCE, type LeasedAllowances, leasedAllowances } from './leased-allowances.ts';
import { takeAllowance } from './take-allowance.ts';

const db = useDatabase();
const MAX = 600;
beforeEach(() => db.asOwner('DELETE FROM lowrank.rate_limits'));

const take = (process: LeasedAllowances, bucket = 'read:ada', max = MAX) => process.take(bucket, max, 'Too many reads');
async function allowed(process: LeasedAllowances, times: number, bucket?: string, max?: number): Promise<number> {
  const answers = await Promise.allSettled(Array.from({ length: times }, () => take(process, bucket, max)));
  for (const answer of answers) if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'rate_limited' });
  return answers.filter((answer) => answer.status === 'fulfilled').length;
}
const used = async () => (await db.asOwner<{ used: number }>('SELECT used FROM lowrank.rate_limits'))[0]?.used;
/** Lets the minute of everybody's bucket be over, as the database sees it. */
const minutePasses = () => db.asOwner(`UPDATE lowrank.rate_limits SET window_started_at = now() - interval '61 seconds'`);

describe('reads of a user', () => {
  test('are let through exactly as often as a minute takes, one after the other and at once', async () => {
    const one = leasedAllowances();
    expect(await allowed(one, MAX - 5)).toBe(MAX - 5);
    for (let left = 4; left >= 0; left--) expect(await take(one)).toMatchObject({ max: MAX, remaining: left });
    const refused = await take(one).catch((error: AppError) => error);
    expect(refused).toBeInstanceOf(AppError);
    expect(refused).toMatchObject({ code: 'rate_limited', retry_after_s: expect.any(Number) });
    expect((refused as AppError).retry_after_s).toBeGreaterThan(50);
    expect((refused as AppError).retry_after_s).toBeLessThanOrEqual(60);
    await db.asOwner('DELETE FROM lowrank.rate_limits');
    expect(await allowed(leasedAllowances(), 2 * MAX)).toBe(MAX);
  });

  test('share one minute over many processes, which together give away exactly that', async () => {
    const processes = Array.from({ length: 5 }, leasedAllowances);
    const each = await Promise.all(processes.map((process) => allowed(process, MAX)));
    expect(each.reduce((sum, n) => sum + n, 0)).toBe(MAX);
  });

  test('that a process took and nobody asked it for are all that is lost', async () => {
    const idle = Array.from({ length: 3 }, leasedAllowances);
    for (const process of idle) await take(process);
    expect(await allowed(leasedAllowances(), MAX)).toBe(MAX - idle.length * LEASED_AT_ONCE);
    for (const process of idle) expect(await allowed(process, MAX)).toBe(LEASED_AT_ONCE - 1);
  });

  test('cost one write in thirty, and refusals none', async () => {
    const one = leasedAllowances();
    await allowed(one, LEASED_AT_ONCE);
    expect(await used()).toBe(LEASED_AT_ONCE);
    await take(one);
    expect(await used()).toBe(2 * LEASED_AT_ONCE);
    await allowed(one, MAX);
    await db.asOwner('DELETE FROM lowrank.rate_limits');
    expect(await allowed(one, 100)).toBe(0);
    expect(await used()).toBeUndefined();
  });

  test('begin anew after a restart only when the minute is over', async () => {
    await allowed(leasedAllowances(), MAX);
    expect(await allowed(leasedAllowances(), 10)).toBe(0);
    await minutePasses();
    expect(await allowed(leasedAllowances(), 10)).toBe(10);
  });

  test('of one user take nothing from another, nor from what is counted one by one', async () => {
    const one = leasedAllowances();
    expect(await allowed(one, 50, 'read:ada', 40)).toBe(40);
    expect(await allowed(one, 50, 'read:bob', 40)).toBe(40);
    expect(await takeAllowance('submit:ada', 1, 'Too many')).toMatchObject({ remaining: 0 });
    await expect(takeAllowance('submit:ada', 1, 'Too many')).rejects.toMatchObject({ code: 'rate_limited' });
    expect(await allowed(one, 1, 'read:ada', 40)).toBe(0);
  });
});
