import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { ACTIVE_JOBS_PER_USER } from '#/domain/constants.ts';
import { LEGAL_JOB_TRANSITIONS } from '#/domain/statuses.ts';
import { closedToApiRoles } from './close-to-api-roles.ts';
import { LOGINS, type Login } from './pools.ts';

/** Any fixed number: everybody who migrates this database waits at the same door. */
const MIGRATION_LOCK = 7_205_911;
const FOLDER = join(import.meta.dirname, 'migrations');

export type LoginPasswords = Record<Login, string>;

export function makePasswords(): LoginPasswords {
  return Object.fromEntries(LOGINS.map((login) => [login, randomBytes(24).toString('base64url')])) as LoginPasswords;
}

/** The address of one login, made from the owner's. A pooler that tells its tenants by `user.tenant` finds the same tenant. */
export function loginUrl(owner_url: string, login: Login, passwords: LoginPasswords): string {
  const url = new URL(owner_url);
  const tenant = /(?<=\.)[a-z0-9]+$/.exec(url.username)?.[0];
  url.username = tenant === undefined ? `lowrank_${login}` : `lowrank_${login}.${tenant}`;
  url.password = passwords[login];
  return url.toString();
}

/**
 * Brings a database up to date as its owner: makes the logins (NOSUPERUSER, NOBYPASSRLS) with the given passwords, runs
 * the migrations and fills what derives from the domain. Safe to call from several processes at once and again.
 */
export async function migrate(owner_url: string, passwords: LoginPasswords): Promise<void> {
  const client = new pg.Client({ connectionString: owner_url, application_name: 'lowrank-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    for (const login of LOGINS) {
      const role = `lowrank_${login}`;
      const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
      const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
      const attributes = known.rowCount === 0 ? 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS' : 'LOGIN';
      await client.query(`${verb} ROLE ${role} ${attributes} PASSWORD ${client.escapeLiteral(passwords[login])}`);
    }
    await closedToApiRoles(client, () =>
      runMigrations(drizzle(client), { migrationsFolder: FOLDER, migrationsSchema: 'lowrank_migrations' }),
    );
    await fillFromDomain(client);
  } finally {
    await client.end();
  }
}

async function fillFromDomain(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  // FORCE binds the owner, too: these rows are nobody's, so the owner opens the door for this one transaction.
  await client.query('ALTER TABLE lowrank.job_transitions NO FORCE ROW LEVEL SECURITY');
  await client.query('ALTER TABLE lowrank.settings NO FORCE ROW LEVEL SECURITY');
  await client.query('DELETE FROM lowrank.job_transitions WHERE true');
  for (const [from, to] of LEGAL_JOB_TRANSITIONS) {
    await client.query('INSERT INTO lowrank.job_transitions (from_status, to_status) VALUES ($1, $2)', [from, to]);
  }
  await client.query(
    `INSERT INTO lowrank.settings (key, value) VALUES ('active_jobs_per_user', $1) ON CONFLICT (key) DO NOTHING`,
    [JSON.stringify(ACTIVE_JOBS_PER_USER)],
  );
  await client.query('ALTER TABLE lowrank.job_transitions FORCE ROW LEVEL SECURITY');
  await client.query('ALTER TABLE lowrank.settings FORCE ROW LEVEL SECURITY');
  await client.query('COMMIT');
}
