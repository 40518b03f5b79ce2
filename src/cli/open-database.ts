import { join } from 'node:path';
import type { DatabaseServer } from '#/db/embedded/ensure-server.ts';
import { keepServer } from '#/db/embedded/keep-server.ts';
import { type LoginPasswords, loginUrl, makePasswords, migrate } from '#/db/migrate.ts';
import { LOGINS, type Login } from '#/db/pools.ts';
import { env } from '#/env.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

export interface OpenDatabase {
  /** The address of each login. */
  logins: Record<Login, string>;
  owner_url: string;
  /** The server that comes with us; null with DATABASE_URL. */
  server: DatabaseServer | null;
}

/** The passwords of the logins, made once and kept in a file that only its owner reads. */
async function loginPasswords(): Promise<LoginPasswords> {
  const path = join(env.data_dir, 'database-logins.json');
  const kept = await readPrivateFile(path);
  const known = kept === null ? {} : (JSON.parse(kept) as Partial<LoginPasswords>);
  const passwords: LoginPasswords = { ...makePasswords(), ...known };
  if (LOGINS.some((login) => known[login] === undefined)) await writePrivateFile(path, `${JSON.stringify(passwords)}\n`);
  return passwords;
}

/**
 * Starts or adopts the database (or uses DATABASE_URL), starts it again should it die while this process lives, and brings it up
 * to date. `log` gets a line a step.
 */
export async function openDatabase(log: (line: string) => void): Promise<OpenDatabase> {
  const server =
    env.DATABASE_URL === undefined
      ? await keepServer({ data_dir: join(env.data_dir, 'postgres'), account: env.LOWRANK_DATABASE_ACCOUNT, log })
      : null;
  const owner_url = env.DATABASE_URL ?? server?.url ?? '';
  const passwords = await loginPasswords();
  await migrate(owner_url, passwords);
  const logins = Object.fromEntries(LOGINS.map((login) => [login, loginUrl(owner_url, login, passwords)])) as Record<
    Login,
    string
  >;
  return { logins, owner_url, server };
}
