/** A project of one test file's own that nobody has migrated, on the fixture's server. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { withDatabase } from '../template-database.ts';
import { PROJECT, runSql } from './make-project.ts';

export interface FreshProject {
  /** What DATABASE_URL names: the project's `postgres`. */
  owner: string;
  /** The superuser's address. */
  behind: string;
  /** A data directory with the logins' passwords in it: the whole server shares those roles. */
  data_dir: string;
  remove(): Promise<void>;
}

/** Makes one; `template` is another database to begin with. */
export async function makeFreshProject(template: string = PROJECT): Promise<FreshProject> {
  const { owner_url, superuser_url, passwords } = inject('database');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const server = withDatabase(superuser_url, 'template1');
  await runSql(server, `CREATE DATABASE ${name} TEMPLATE ${template} OWNER postgres`);
  const data_dir = await mkdtemp(join(tmpdir(), 'lowrank-supabase-'));
  await writeFile(join(data_dir, 'database-logins.json'), JSON.stringify(passwords), { mode: 0o600 });
  return {
    owner: withDatabase(owner_url, name),
    behind: withDatabase(superuser_url, name),
    data_dir,
    async remove() {
      await runSql(server, `DROP DATABASE ${name} WITH (FORCE)`);
      await rm(data_dir, { recursive: true, force: true });
    },
  };
}
