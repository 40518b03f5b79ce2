import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type NoteAllowance, takeAllowance, unheard } from '#/services/rate-limits/take-allowance.ts';
import { isFirstRun } from './first-run.ts';
import { acceptInvitation } from './invitations.ts';
import { secretHash } from './one-time-token.ts';
import { openSession } from './open-session.ts';
import { hashNewPassword } from './password-rules.ts';
import { insertPerson, normalEmail } from './person.ts';
import type { SignedIn } from './sign-in.ts';

const TRIES_PER_MINUTE = 5;

/**
 * Joins: by invitation, or freely where `open` says so. Throws `invitation_required`, `conflict` (e-mail is taken),
 * `invalid_request` (password) and `rate_limited`.
 */
export async function signUp(
  asked: { invitation?: string; name?: string; email: string; password: string },
  open: boolean,
  note: NoteAllowance = unheard,
): Promise<SignedIn> {
  const { invitation } = asked;
  if (invitation === undefined && !open) {
    throw new AppError('invitation_required', 'People join this studio by invitation: ask an administrator for a link');
  }
  const bucket = `sign-up:${secretHash(normalEmail(asked.email))}`;
  note(await takeAllowance(bucket, TRIES_PER_MINUTE, 'Too many tries to join with this e-mail'));
  if (await isFirstRun()) throw new AppError('conflict', 'This studio has no owner yet: the first visit sets it up');
  const password_hash = await hashNewPassword(asked.password, asked.email);
  const user = await asIdentity(async (tx) => {
    if (invitation !== undefined) await acceptInvitation(tx, invitation, asked.email);
    return insertPerson(tx, { name: asked.name, email: asked.email, role: 'user', password_hash });
  });
  return { user, session: await openSession(user.id) };
}
