import { asUnavailable } from '#/db/pools.ts';
import { refuseDisabled } from './ensure-subject.ts';
import { signInLibrary } from './sign-in-library.ts';

/** A new session: its token goes into a cookie and nowhere else. */
export interface OpenSession {
  token: string;
  expires_at: Date;
}

/** Opens a session for somebody who has just been proved. Throws `forbidden` (locked out) and `database_unavailable`. */
export async function openSession(user_id: string): Promise<OpenSession> {
  await refuseDisabled(user_id);
  try {
    const { internalAdapter } = await signInLibrary().$context;
    const session = await internalAdapter.createSession(user_id);
    return { token: session.token, expires_at: new Date(session.expiresAt) };
  } catch (error) {
    throw asUnavailable(error);
  }
}
