// What a database says of itself: version, migrations, logins and policies. It reads catalogues, never anybody's rows.
import pg from 'pg';
import { knownMigrations } from './known-migrations.ts';
import { LOGINS } from './pools.ts';

export interface RoleFacts {
  name: string;
  exists: boolean;
  superuser: boolean;
  bypasses_policies: boolean;
}

export interface DatabaseFacts {
  /** The major version, such as 18. */
  major: number;
  /** As the server says it: "18.4". */
  version: string;
  owner: RoleFacts;
  logins: RoleFacts[];
  /** Migrations of this code that the database lacks. */
  migrations_missing: number;
  /** The database was migrated by newer code than this. */
  migrations_ahead: boolean;
  /** Tables of ours whose rows are not guarded by forced policies. */
  unguarded: string[];
  /** `auth.uid()` is there, which every policy asks. */
  has_caller: boolean;
}

const MIGRATIONS = 'lowrank_migrations.__drizzle_migrations';

/** The catalogue's answers, over an open connection of the owner. */
export async function readDatabaseFacts(client: pg.Client): Promise<DatabaseFacts> {
  const one = async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await client.query<T>(text, values)).rows;
  const [about] = await one<{ version: string; number: number; me: string; has_caller: boolean }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, current_user AS me,
            to_regprocedure('auth.uid()') IS NOT NULL AS has_caller`,
  );
  if (about === undefined) throw new Error('The database did not answer what it is');
  const names = LOGINS.map((login) => `lowrank_${login}`);
  const roles = await one<{ name: string; superuser: boolean; bypasses_policies: boolean }>(
    'SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS bypasses_policies FROM pg_roles WHERE rolname = ANY ($1)',
    [[about.me, ...names]],
  );
  const factsOf = (name: string): RoleFacts => {
    const role = roles.find((found) => found.name === name);
    return role === undefined ? { name, exists: false, superuser: false, bypasses_policies: false } : { ...role, exists: true };
  };
  const unguarded = await one<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('lowrank', 'identity') AND c.relkind IN ('r', 'p')
       AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
     ORDER BY 1`,
  );
  const known = (await knownMigrations()).map(({ when }) => when);
  const applied = await lastApplied(client);
  return {
    major: Math.floor(about.number / 10_000),
    version: about.version.split(' ')[0] ?? about.version,
    owner: factsOf(about.me),
    logins: names.map(factsOf),
    migrations_missing: known.filter((when) => when > applied).length,
    migrations_ahead: applied > Math.max(0, ...known),
    unguarded: unguarded.map(({ name }) => name),
    has_caller: about.has_caller,
  };
}

/** When the last migration that the database has was made; 0 before the first. */
async function lastApplied(client: pg.Client): Promise<number> {
  const { rows: there } = await client.query<{ migrated: boolean }>(
    `SELECT to_regclass('${MIGRATIONS}') IS NOT NULL AS migrated`,
  );
  if (there[0]?.migrated !== true) return 0;
  const { rows } = await client.query<{ at: string | null }>(`SELECT max(created_at)::text AS at FROM ${MIGRATIONS}`);
  return Number(rows[0]?.at ?? 0);
}

/** The migrations of this code that the database lacks, by their files' names. */
export async function readMissingMigrations(client: pg.Client): Promise<string[]> {
  const applied = await lastApplied(client);
  return (await knownMigrations()).filter(({ when }) => when > applied).map(({ tag }) => tag);
}

/** Connects as `url` says and runs `work`, both bounded in time. Throws the driver's own error. */
export async function askDatabase<T>(url: string, within_ms: number, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'lowrank-doctor',
    connectionTimeoutMillis: within_ms,
    query_timeout: within_ms,
    statement_timeout: within_ms,
  });
  // A server that goes away while we ask reports it twice: through the query and as an event.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
