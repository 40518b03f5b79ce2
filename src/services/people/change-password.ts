import { verifyPassword } from 'better-auth/crypto';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { type NoteAllowance, takeAllowance, unheard } from '#/services/rate-limits/take-allowance.ts';
import { openSession } from './open-session.ts';
import { hashNewPassword } from './password-rules.ts';
import { inTurn } from './password-work.ts';
import { getPerson, readPasswordHash, replacePassword } from './person.ts';
import type { SignedIn } from './sign-in.ts';

const TRIES_PER_MINUTE = 5;

/**
 * Changes one's own password; every session of this person ends, and a new one is opened for who changed it.
 * Throws `invalid_credentials`, `invalid_request` (the new one) and `rate_limited`.
 */
export async function changePassword(
  ctx: Context,
  typed: { current_password: string; new_password: string },
  note: NoteAllowance = unheard,
): Promise<SignedIn> {
  note(await takeAllowance(`password:${ctx.user_id}`, TRIES_PER_MINUTE, 'Too many tries to change the password'));
  const user = await getPerson(ctx.user_id);
  const hash = await asIdentity((tx) => readPasswordHash(tx, user.id));
  if (hash === null || !(await inTurn(() => verifyPassword({ hash, password: typed.current_password })))) {
    throw new AppError('invalid_credentials', 'The current password is wrong', [
      { path: 'current_password', message: 'is wrong', code: 'wrong_password' },
    ]);
  }
  const new_hash = await hashNewPassword(typed.new_password, user.email, 'new_password');
  await asIdentity((tx) => replacePassword(tx, user.id, new_hash));
  return { user, session: await openSession(user.id) };
}
