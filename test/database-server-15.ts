/** The same set-up on PostgreSQL 15, the oldest that DATABASE_URL may name. */
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import provideDatabase from './database-server.ts';
import { POSTGRES_15_BIN } from './postgres-15.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Where it is missing the tests of this project fail; an error here would end every other project's, too.
  const end = await provideDatabase(project, POSTGRES_15_BIN).catch((error: Error) => {
    console.error(`No PostgreSQL 15 at ${POSTGRES_15_BIN}, so what needs it fails: ${error.message}`);
    return null;
  });
  if (end === null) return () => Promise.resolve();
  const client = new pg.Client({ connectionString: project.getProvidedContext().database.superuser_url });
  await client.connect();
  const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  await client.end();
  const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (major === 15) return end;
  await end();
  throw new Error(`${POSTGRES_15_BIN} is PostgreSQL ${major}`);
}
