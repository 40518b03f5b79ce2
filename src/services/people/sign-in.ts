import { isAPIError } from 'better-auth/api';
import { asUnavailable } from '#/db/pools.ts';
import { AppError } from '#/domain/app-error.ts';
import { giveBack, type NoteAllowance, takeAllowance, unheard } from '#/services/rate-limits/take-allowance.ts';
import { refuseDisabled } from './ensure-subject.ts';
import { secretHash } from './one-time-token.ts';
import type { OpenSession } from './open-session.ts';
import { inTurn } from './password-work.ts';
import { getPerson, normalEmail, type Person } from './person.ts';
import { SESSION_SECONDS, signInLibrary } from './sign-in-library.ts';

/** Guesses that one account takes in a minute, whoever makes them and whether the account exists or not. */
export const SIGN_INS_PER_MINUTE = 5;
/** Failures that one address of the network has in a minute, whatever accounts it tries. */
const FAILURES_OF_AN_ADDRESS = 20;
/** The same for all whose address nobody knows, such as everybody behind a proxy: enough for people, little for a list of words. */
const FAILURES_OF_UNKNOWN = 100;

export interface SignedIn {
  user: Person;
  session: OpenSession;
}

/**
 * Signs somebody in by e-mail and password. Unknown e-mail and wrong password get one answer after the same work. `address` is
 * the network's that asks, null where it is not its own. Throws `invalid_credentials`, `forbidden` (locked out), `rate_limited` and `database_unavailable`.
 */
export const signIn = (
  typed: { email: string; password: string },
  address: string | null,
  note: NoteAllowance = unheard,
): Promise<SignedIn> => inTurn(() => signInNow(typed, address, note));

async function signInNow(
  typed: { email: string; password: string },
  address: string | null,
  note: NoteAllowance,
): Promise<SignedIn> {
  const email = normalEmail(typed.email);
  const from = address === null ? 'sign-in-from' : `sign-in-from:${address}`;
  const failures_max = address === null ? FAILURES_OF_UNKNOWN : FAILURES_OF_AN_ADDRESS;
  await takeAllowance(from, failures_max, 'Too many failed tries to sign in from this network');
  note(await takeAllowance(`sign-in:${secretHash(email)}`, SIGN_INS_PER_MINUTE, 'Too many tries to sign in to this account'));
  try {
    const { token, user } = await signInLibrary().api.signInEmail({ body: { email, password: typed.password } });
    await refuseDisabled(user.id);
    await giveBack(from);
    const expires_at = new Date(Date.now() + SESSION_SECONDS * 1000);
    return { user: await getPerson(user.id), session: { token, expires_at } };
  } catch (error) {
    if (isAPIError(error) && Number(error.statusCode) < 500) {
      throw new AppError('invalid_credentials', 'E-mail or password is wrong');
    }
    throw asUnavailable(error);
  }
}
