/** Makes a plain PostgreSQL look like a Supabase project's: its roles, schemas, default privileges, and an owner who is no superuser. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { withDatabase } from '../template-database.ts';

const PASSWORD = 'of-the-fixture';
/** A project as it is before anybody migrates; `CREATE DATABASE … TEMPLATE` copies it. */
export const PROJECT = 'supabase_project';

/** Runs SQL as whom `url` names, on a connection of its own; answers the last statement's rows. */
export async function runSql<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Several statements in one text answer several results, of which the types know nothing.
    const results = [await client.query<T>(text)].flat();
    return results.at(-1)?.rows ?? [];
  } finally {
    await client.end();
  }
}

const fixture = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');

/**
 * Turns a new server into Supabase's and makes `PROJECT`. Its first superuser is called `supabase_admin` from then on, for
 * `postgres` is a project's owner. Answers both addresses of the project.
 */
export async function makeSupabase(first_superuser_url: string): Promise<{ superuser_url: string; owner_url: string }> {
  const first = new URL(first_superuser_url);
  // Nobody renames themselves: another superuser does it.
  await runSql(first.toString(), `CREATE ROLE renamer LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
  const renamer = new URL(first);
  renamer.username = 'renamer';
  renamer.password = PASSWORD;
  await runSql(renamer.toString(), `ALTER ROLE ${first.username} RENAME TO supabase_admin`);
  const superuser = new URL(first);
  superuser.username = 'supabase_admin';
  await runSql(
    superuser.toString(),
    `DROP ROLE renamer; ${await fixture('cluster.sql')}; ALTER ROLE postgres PASSWORD '${PASSWORD}'`,
  );
  await runSql(superuser.toString(), `CREATE DATABASE ${PROJECT} OWNER postgres`);
  const superuser_url = withDatabase(superuser.toString(), PROJECT);
  await runSql(superuser_url, await fixture('project.sql'));
  const owner = new URL(superuser_url);
  owner.username = 'postgres';
  owner.password = PASSWORD;
  return { superuser_url, owner_url: owner.toString() };
}
