import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { env } from '#/env.ts';
import { resetPassword } from '#/services/people/reset-password.ts';
import { askSecret } from './ask-secret.ts';
import { CommandError } from './command-error.ts';
import { openDatabase } from './open-database.ts';

/** `lowrank reset-password`: a new password for a person; all their sessions end. The password is read from the terminal, never from argv. */
export async function resetPasswordCommand(email: string): Promise<void> {
  // Before anything is asked: a password is typed for nothing where nobody has an account.
  if (env.DATABASE_URL === undefined && !existsSync(join(env.data_dir, 'postgres'))) {
    throw new CommandError(`Nothing is installed in the data directory ${env.data_dir}: name another by LOWRANK_DATA_DIR`);
  }
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
