/** The same on PostgreSQL 15, which Supabase's older projects have. */
import type { TestProject } from 'vitest/node';
import { POSTGRES_15_BIN } from '../postgres-15.ts';
import provideProject from './server.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Where it is missing the tests of this project fail; an error here would end every other project's, too.
  return provideProject(project, POSTGRES_15_BIN).catch((error: Error) => {
    console.error(`No Supabase fixture on PostgreSQL 15 (${POSTGRES_15_BIN}), so what needs it fails: ${error.message}`);
    return () => Promise.resolve();
  });
}
