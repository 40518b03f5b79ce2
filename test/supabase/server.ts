/** Vitest's global set-up: a server that looks like a Supabase project's, so that the same tests hold there. */
import type { TestProject } from 'vitest/node';
import { startTestServer } from '#/db/embedded/start-test-server.ts';
import { makePasswords, migrate } from '#/db/migrate.ts';
import { TEMPLATE, withDatabase } from '../template-database.ts';
import { makeSupabase, PROJECT, runSql } from './make-project.ts';

/** Starts it, of another version where `bin_dir` names its programs; answers what ends it. */
export default async function setup(project: TestProject, bin_dir?: string): Promise<() => Promise<void>> {
  const server = await startTestServer({ ...(bin_dir !== undefined && { bin_dir }) });
  const { superuser_url, owner_url } = await makeSupabase(server.superuser_url);
  const passwords = makePasswords();
  await runSql(withDatabase(superuser_url, 'template1'), `CREATE DATABASE ${TEMPLATE} TEMPLATE ${PROJECT} OWNER postgres`);
  await migrate(withDatabase(owner_url, TEMPLATE), passwords);
  project.provide('database', { owner_url, superuser_url, passwords });
  return server.remove;
}
