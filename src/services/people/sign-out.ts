import { eq } from 'drizzle-orm';
import { sessions } from '#/db/schema/identity.ts';
import { asIdentity } from '#/db/tenancy.ts';

/** Ends one session. */
export async function signOut(session_id: string): Promise<void> {
  await asIdentity((tx) => tx.delete(sessions).where(eq(sessions.id, session_id)));
}
