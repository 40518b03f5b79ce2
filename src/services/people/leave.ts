import { verifyPassword } from 'better-auth/crypto';
import { eq, sql } from 'drizzle-orm';
import { accounts, apiKeys, sessions, users } from '#/db/schema/identity.ts';
import { userQueues } from '#/db/schema/jobs.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { LEAVING_WORDS } from '#/domain/constants.ts';
import type { Context } from '#/services/context.ts';
import { type NoteAllowance, takeAllowance, unheard } from '#/services/rate-limits/take-allowance.ts';
import { lockAdministrators, refuseLastAdministrator } from './administrators.ts';
import { inTurn } from './password-work.ts';
import { readPasswordHash } from './person.ts';

const TRIES_PER_MINUTE = 5;

/** How somebody says that they mean it: by their password, or in words where they have none. */
export interface LeavingWish {
  password?: string | undefined;
  confirm?: string | undefined;
}

/**
 * Takes oneself out of this installation: from the commit on nobody signs in as this person, no key is taken and no job starts.
 * A worker ends what runs and then removes every row and file (`removeDepartures`). Throws `invalid_credentials`, `invalid_request` (said the
 * wrong way), `rate_limited` and `conflict` (the last administrator).
 */
export async function leave(ctx: Context, typed: LeavingWish, note: NoteAllowance = unheard): Promise<void> {
  note(await takeAllowance(`password:${ctx.user_id}`, TRIES_PER_MINUTE, 'Too many tries with this password'));
  const hash = await asIdentity((tx) => readPasswordHash(tx, ctx.user_id));
  if (hash === null) refuseUnconfirmed(typed);
  else await checkPassword(hash, typed);
  await asIdentity(async (tx) => {
    await lockAdministrators(tx);
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

async function checkPassword(hash: string, { password }: LeavingWish): Promise<void> {
  if (password === undefined) throw saidWrong('password', 'is required: this account has one');
  if (await inTurn(() => verifyPassword({ hash, password }))) return;
  throw new AppError('invalid_credentials', 'The password is wrong', [
    { path: 'password', message: 'is wrong', code: 'wrong_password' },
  ]);
}

function refuseUnconfirmed({ confirm }: LeavingWish): void {
  if (confirm !== LEAVING_WORDS) throw saidWrong('confirm', `must be "${LEAVING_WORDS}": this account has no password`);
}

function saidWrong(path: keyof LeavingWish, message: string): AppError {
  return new AppError('invalid_request', `${path} ${message}`, [{ path, message, code: 'required' }]);
}
