import { env } from '#/env.ts';
import { openDatabase } from './open-database.ts';
import { makePrivateFolder } from './private-file.ts';

/** `lowrank migrate`: the database brought up to date, and nothing else started. */
export async function migrateCommand(): Promise<void> {
  await makePrivateFolder(env.data_dir);
  const { server } = await openDatabase((line) => console.log(line));
  if (server?.adopted === false) await server.stop('fast');
  else server?.release();
  console.log('The database is up to date.');
}
