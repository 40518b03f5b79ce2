import { asUnavailable } from '#/db/pools.ts';
import { users } from '#/db/schema/identity.ts';
import { asIdentity, identityPool } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

export interface Subject {
  role: 'administrator' | 'user';
  disabled: boolean;
  /** Came by an access token. False: an account of the studio's own, which no token opens. */
  is_subject: boolean;
}

const SUBJECT = {
  name: 'find-subject',
  text: 'SELECT role, disabled_at IS NOT NULL AS disabled, is_subject FROM identity.users WHERE id = $1',
};

/** Keeps somebody whom an administrator locked out from signing in. Throws `forbidden`. */
export async function refuseDisabled(user_id: string): Promise<void> {
  if ((await findSubject(user_id))?.disabled !== true) return;
  throw new AppError('forbidden', 'An administrator has locked this account out: ask them to let you in again');
}

/** The person with this id; null when there is none yet. One prepared query. Throws `database_unavailable`. */
export async function findSubject(user_id: string): Promise<Subject | null> {
  try {
    return (await identityPool().query<Subject>({ ...SUBJECT, values: [user_id] })).rows[0] ?? null;
  } catch (error) {
    throw asUnavailable(error);
  }
}

/**
 * Gives a subject of the identity provider its row at first sight, with a queue and slots as everybody has. Of two requests
 * at once one makes it. An e-mail of a token is a label: whose it really is we cannot know, so nobody is found or invited by it.
 */
export async function ensureSubject(user_id: string, name: string): Promise<Subject> {
  await asIdentity((tx) =>
    tx
      .insert(users)
      .values({ id: user_id, name, email: `${user_id}@supabase.invalid`, role: 'user', is_subject: true })
      .onConflictDoNothing(),
  );
  const person = await findSubject(user_id);
  if (person === null) throw new Error('a person who was just made is not there');
  return person;
}
