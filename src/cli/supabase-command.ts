import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askDatabase, readMissingMigrations } from '#/db/database-facts.ts';
import { databaseErrorCode, LOGINS } from '#/db/pools.ts';
import { isSupabase, readStorageFacts, setUpStorage } from '#/db/supabase-storage.ts';
import { env } from '#/env.ts';
import { CommandError } from './command-error.ts';
import { openDatabase } from './open-database.ts';
import { makePrivateFolder } from './private-file.ts';

const ASKED_MS = 60_000;

/** The name by which Supabase knows a project, from its database's address; null for one of one's own. */
export function projectOf(database_url: string): string | null {
  const { hostname, username } = new URL(database_url);
  return (
    /^db\.([a-z0-9]+)\.supabase\.co$/.exec(hostname)?.[1] ??
    /^[^.]+\.([a-z0-9]+)$/.exec(decodeURIComponent(username))?.[1] ??
    null
  );
}

/** What is still to be set by hand, with the project's own addresses. */
function nextSteps(database_url: string): string[] {
  const project = projectOf(database_url);
  const issuer = project === null ? 'https://YOUR-SUPABASE/auth/v1' : `https://${project}.supabase.co/auth/v1`;
  return [
    'To take its access tokens start the studio with',
    `  SUPABASE_JWT_ISSUER=${issuer}`,
    `  SUPABASE_JWKS_URL=${issuer}/.well-known/jwks.json`,
    '(or SUPABASE_JWT_SECRET, where it signs with HS256). docs/supabase.md has the rest.',
  ];
}

/** Everything that would be run, as SQL. */
async function dryRun(database_url: string): Promise<string[]> {
  return askDatabase(database_url, ASKED_MS, async (client) => {
    if (!(await isSupabase(client))) throw notSupabase();
    const lines = [`-- Three logins without rights of their own: ${LOGINS.map((login) => `lowrank_${login}`).join(', ')}`];
    for (const tag of await readMissingMigrations(client)) {
      const text = await readFile(join(env.repo, 'src/db/migrations', `${tag}.sql`), 'utf8');
      lines.push(`-- ${tag}`, text.replaceAll('--> statement-breakpoint', '').trimEnd());
    }
    const { steps } = await readStorageFacts(client);
    for (const { what, sql } of steps) lines.push(`-- ${what}`, sql);
    if (lines.length === 1) lines.push('-- Nothing is missing.');
    return lines;
  });
}

const notSupabase = () =>
  new CommandError(
    'The database in DATABASE_URL is no Supabase project’s: it has no storage.buckets, storage.objects and auth.uid(). For any other PostgreSQL run npm run lowrank -- migrate',
  );

/** What the network or the database refused, as a sentence with a way out instead of a stack; anything else as it is. */
function explained(error: unknown, database_url: string): unknown {
  if (!(error instanceof Error) || databaseErrorCode(error) === undefined) return error;
  const words = error.message || databaseErrorCode(error);
  return new CommandError(
    `${new URL(database_url).host}: ${words}\nSee docs/supabase.md, “When it does not work”, or ask: npm run lowrank -- doctor`,
  );
}

/** `lowrank supabase`: brings a Supabase project to what the studio needs; a second time it finds nothing to do. */
export async function supabaseCommand(options: { dry_run: boolean }): Promise<void> {
  const { DATABASE_URL: database_url } = env;
  if (database_url === undefined)
    throw new CommandError(
      'Name the project’s database first: DATABASE_URL=postgres://postgres:…@db.PROJECT.supabase.co:5432/postgres',
    );
  try {
    await (options.dry_run ? show(database_url) : setUp(database_url));
  } catch (error) {
    throw explained(error, database_url);
  }
}

async function show(database_url: string): Promise<void> {
  for (const line of await dryRun(database_url)) console.log(line);
}

async function setUp(database_url: string): Promise<void> {
  const missing = await askDatabase(database_url, ASKED_MS, async (client) => {
    if (!(await isSupabase(client))) throw notSupabase();
    return readMissingMigrations(client);
  });
  await makePrivateFolder(env.data_dir);
  await openDatabase((line) => console.log(line));
  console.log(
    missing.length === 0 ? 'migrations  up to date' : `migrations  ${missing.length} run: ${missing[0]} to ${missing.at(-1)}`,
  );
  const steps = await askDatabase(database_url, ASKED_MS, setUpStorage);
  for (const { what } of steps) console.log(`storage     made ${what}`);
  if (steps.length === 0) console.log('storage     both buckets and their policies are as they must be');
  for (const line of ['', ...nextSteps(database_url)]) console.log(line);
}
