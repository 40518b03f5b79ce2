import { createInterface } from 'node:readline/promises';
import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { resetPassword } from '#/services/people/reset-password.ts';
import { openDatabase } from './open-database.ts';

/** `lowrank reset-password`: a new password for a person; all their sessions end. The password is read from the terminal, never from argv. */
export async function resetPasswordCommand(email: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const password = await terminal.question(`New password for ${email}: `);
  terminal.close();
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
