import { isAPIError } from 'better-auth/api';
import { asUnavailable } from '#/db/pools.ts';
import { AppError } from '#/domain/app-error.ts';
import { takeAllowance } from '#/services/rate-limits/take-allowance.ts';
import { secretHash } from './one-time-token.ts';
import type { OpenSession } from './open-session.ts';
import { getPerson, normalEmail, type Person } from './person.ts';
import { SESSION_SECONDS, signInLibrary } from './sign-in-library.ts';

/** Guesses that one account takes in a minute, whoever makes them and whether the account exists or not. */
export const SIGN_INS_PER_MINUTE = 5;

export interface SignedIn {
  user: Person;
  session: OpenSession;
}

/**
 * Signs somebody in by e-mail and password. Unknown e-mail and wrong password get one answer after the same work.
 * Throws `invalid_credentials`, `rate_limited` and `database_unavailable`.
 */
export async function signIn(typed: { email: string; password: string }): Promise<SignedIn> {
  const email = normalEmail(typed.email);
  await takeAllowance(`sign-in:${secretHash(email)}`, SIGN_INS_PER_MINUTE, 'Too many tries to sign in to this account');
  try {
    const { token, user } = await signInLibrary().api.signInEmail({ body: { email, password: typed.password } });
    const expires_at = new Date(Date.now() + SESSION_SECONDS * 1000);
    return { user: await getPerson(user.id), session: { token, expires_at } };
  } catch (error) {
    if (isAPIError(error) && Number(error.statusCode) < 500) {
      throw new AppError('invalid_credentials', 'E-mail or password is wrong');
    }
    throw asUnavailable(error);
  }
}
