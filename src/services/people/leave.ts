import { verifyPassword } from 'better-auth/crypto';
import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { accounts, apiKeys, sessions, users } from '#/db/schema/identity.ts';
import { userQueues } from '#/db/schema/jobs.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { takeAllowance } from '#/services/rate-limits/take-allowance.ts';
import { inTurn } from './password-work.ts';
import { readPasswordHash } from './person.ts';

const TRIES_PER_MINUTE = 5;
/** Any fixed number: administrators who leave do it one after the other, so that one of them stays. */
const LEAVING_LOCK = 7_205_913;

/**
 * Takes oneself out of this installation: from the commit on nobody signs in as this person, no key is taken and no job starts.
 * A worker ends what runs and then removes every row and file (`removeDepartures`). Throws `invalid_credentials`, `rate_limited`
 * and `conflict` (the last administrator).
 */
export async function leave(ctx: Context, typed: { password: string }): Promise<void> {
  await takeAllowance(`password:${ctx.user_id}`, TRIES_PER_MINUTE, 'Too many tries with this password');
  const hash = await asIdentity((tx) => readPasswordHash(tx, ctx.user_id));
  if (hash === null || !(await inTurn(() => verifyPassword({ hash, password: typed.password })))) {
    throw new AppError('invalid_credentials', 'The password is wrong', [
      { path: 'password', message: 'is wrong', code: 'wrong_password' },
    ]);
  }
  await asIdentity(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${LEAVING_LOCK})`);
    await refuseLastAdministrator(tx, ctx.user_id);
    const of_mine = { user_id: ctx.user_id };
    // The name and the e-mail are nobody's from now on: whoever comes again is somebody new.
    await tx
      .update(users)
      .set({ name: 'Somebody who left', email: `${of_mine.user_id}@left.invalid`, disabled_at: sql`clock_timestamp()` })
      .where(eq(users.id, of_mine.user_id));
    for (const table of [sessions, apiKeys, accounts]) await tx.delete(table).where(eq(table.user_id, of_mine.user_id));
    await tx.update(userQueues).set({ leaving_at: sql`clock_timestamp()` }).where(eq(userQueues.user_id, of_mine.user_id));
  });
}

async function refuseLastAdministrator(tx: Tx, user_id: string): Promise<void> {
  const [me] = await tx.select({ role: users.role }).from(users).where(eq(users.id, user_id));
  if (me?.role !== 'administrator') return;
  const others = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.role, 'administrator'), ne(users.id, user_id), isNull(users.disabled_at)))
    .limit(1);
  if (others.length > 0) return;
  throw new AppError('conflict', 'You are the last administrator of this installation: nobody could look after it then');
}
