import { verifyPassword } from 'better-auth/crypto';
import { eq } from 'drizzle-orm';
import { sessions } from '#/db/schema/identity.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { takeAllowance } from '#/services/rate-limits/take-allowance.ts';
import { openSession } from './open-session.ts';
import { hashNewPassword } from './password-rules.ts';
import { findPersonByEmail, getPerson, readPasswordHash, storePassword } from './person.ts';
import type { SignedIn } from './sign-in.ts';

const TRIES_PER_MINUTE = 5;

async function replacePassword(tx: Tx, user_id: string, password_hash: string): Promise<void> {
  await storePassword(tx, user_id, password_hash);
  await tx.delete(sessions).where(eq(sessions.user_id, user_id));
}

/**
 * Changes one's own password; every session of this person ends, and a new one is opened for who changed it.
 * Throws `invalid_credentials`, `invalid_request` (the new one) and `rate_limited`.
 */
export async function changePassword(ctx: Context, typed: { current_password: string; new_password: string }): Promise<SignedIn> {
  await takeAllowance(`password:${ctx.user_id}`, TRIES_PER_MINUTE, 'Too many tries to change the password');
  const user = await getPerson(ctx.user_id);
  const hash = await asIdentity((tx) => readPasswordHash(tx, user.id));
  if (hash === null || !(await verifyPassword({ hash, password: typed.current_password }))) {
    throw new AppError('invalid_credentials', 'The current password is wrong', [
      { path: 'current_password', message: 'is wrong', code: 'wrong_password' },
    ]);
  }
  const new_hash = await hashNewPassword(typed.new_password, user.email, 'new_password');
  await asIdentity((tx) => replacePassword(tx, user.id, new_hash));
  return { user, session: await openSession(user.id) };
}

/** Sets somebody's password from the command line and ends all their sessions. Throws `not_found` and `invalid_request`. */
export async function resetPassword(email: string, new_password: string): Promise<void> {
  const hash = await hashNewPassword(new_password, email, 'new_password');
  await asIdentity(async (tx) => {
    const person = await findPersonByEmail(tx, email);
    if (person === null) throw new AppError('not_found', 'Nobody here has this e-mail');
    await replacePassword(tx, person.id, hash);
  });
}
