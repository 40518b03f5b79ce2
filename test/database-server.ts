/** Vitest's global set-up: one real PostgreSQL a run, and a migrated template that each test file copies in milliseconds. */
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startTestServer } from '#/db/embedded/start-test-server.ts';
import { type LoginPasswords, makePasswords, migrate } from '#/db/migrate.ts';
import { TEMPLATE, withDatabase } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `owner_url` obeys policies, as in the product; `superuser_url` looks behind them. */
    database: { owner_url: string; superuser_url: string; passwords: LoginPasswords };
  }
}

/** Starts it, of another version where `bin_dir` names its programs; answers what ends it. */
export default async function setup(project: TestProject, bin_dir?: string): Promise<() => Promise<void>> {
  const server = await startTestServer({ ...(bin_dir !== undefined && { bin_dir }) });
  const passwords = makePasswords();
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  await migrate(withDatabase(server.url, TEMPLATE), passwords);
  project.provide('database', { owner_url: server.url, superuser_url: server.superuser_url, passwords });
  return server.remove;
}
