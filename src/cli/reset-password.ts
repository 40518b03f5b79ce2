import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { resetPassword } from '#/services/people/reset-password.ts';
import { askSecret } from './ask-secret.ts';
import { openDatabase } from './open-database.ts';

/** `lowrank reset-password`: a new password for a person; all their sessions end. The password is read from the terminal, never from argv. */
export async function resetPasswordCommand(email: string): Promise<void> {
  const password = await askSecret(`New password for ${email}: `);
  const database = await openDatabase(() => undefined);
  connectDatabase({ identity: database.logins.identity }, { connections_max: 1 });
  try {
    await resetPassword(email, password);
    console.log(`${email} has a new password; every session of theirs is over.`);
  } finally {
    await disconnectDatabase();
    if (database.server?.adopted === false) await database.server.stop('fast');
    else database.server?.release();
  }
}
