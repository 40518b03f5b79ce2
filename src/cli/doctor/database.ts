// The database: which it is, if it answers, and if what guards people's rows is in place. It is never started from here.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askDatabase, type DatabaseFacts, readDatabaseFacts } from '#/db/database-facts.ts';
import { serverAccount } from '#/db/embedded/account.ts';
import { findBinaries } from '#/db/embedded/binaries.ts';
import { findHome, type Home } from '#/db/embedded/home.ts';
import { DATABASE, OWNER, readCredentials } from '#/db/embedded/initialise.ts';
import { isAlive, readPostmaster, servesFolder } from '#/db/embedded/postmaster.ts';
import { type LoginPasswords, loginUrl } from '#/db/migrate.ts';
import { databaseErrorCode, LOGINS, type Login } from '#/db/pools.ts';
import { compareShapes, expectedShape, readShape } from '#/db/shape.ts';
import { isSupabase, readStorageFacts } from '#/db/supabase-storage.ts';
import { env } from '#/env.ts';
import { runningStudio } from '../one-studio.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { judgeShape } from './shape.ts';
import { judgeBuckets } from './supabase.ts';

const ANSWER_MS = 5_000;
const MAJORS = { oldest: 15, newest: 18 };
const MIGRATE = 'npm run lowrank -- migrate';

export function judgeDatabase(facts: DatabaseFacts, where: string): Finding[] {
  const { major, version, owner, logins, migrations_missing, migrations_ahead, unguarded, has_caller } = facts;
  const found: Finding[] = [];
  const use = `Use PostgreSQL ${MAJORS.oldest} to ${MAJORS.newest}: name one in DATABASE_URL, or unset it to use the one that comes with Lowrank`;
  if (major < MAJORS.oldest) found.push(problem('database', `PostgreSQL ${version} (${where}) is too old`, use));
  else if (major > MAJORS.newest)
    found.push(warning('database', `PostgreSQL ${version} (${where}) is newer than what Lowrank was tested with`, use));
  else found.push(ok('database', `PostgreSQL ${version} (${where})`));

  if (migrations_ahead) {
    found.push(
      problem(
        'migrations',
        'the database was brought up to date by a newer Lowrank than this',
        'Run that version again (git pull), or restore a backup made by this one: npm run lowrank -- restore FILE',
      ),
    );
    return found;
  }
  if (migrations_missing > 0) {
    found.push(
      problem(
        'migrations',
        `${migrations_missing} of this version are missing`,
        `Bring it up to date: ${MIGRATE} (npm start does it, too)`,
      ),
    );
    return found;
  }
  found.push(ok('migrations', 'up to date'));

  const too_strong = logins.filter(({ superuser, bypasses_policies }) => superuser || bypasses_policies);
  const absent = logins.filter(({ exists }) => !exists);
  for (const { name, superuser } of too_strong) {
    found.push(
      problem(
        'logins',
        `${name} ${superuser ? 'is a superuser' : 'bypasses policies'}: nothing keeps people's rows apart`,
        `As a superuser of that server run: ALTER ROLE ${name} NOSUPERUSER NOBYPASSRLS;`,
      ),
    );
  }
  if (absent.length > 0)
    found.push(problem('logins', `${absent.map(({ name }) => name).join(', ')} not there`, `Make what is missing: ${MIGRATE}`));
  if (owner.superuser) {
    found.push(
      warning(
        'logins',
        `the owner in DATABASE_URL (${owner.name}) is a superuser, which migrations do not need`,
        `Use a role of its own: CREATE ROLE lowrank_owner LOGIN CREATEROLE; ALTER DATABASE … OWNER TO lowrank_owner; and name it in DATABASE_URL`,
      ),
    );
  }
  if (unguarded.length > 0) {
    const tables = unguarded
      .map((table) => `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`)
      .join(' ');
    found.push(
      problem(
        'isolation',
        `not forced on ${unguarded.join(', ')}: people can see each other's rows`,
        `Stop the studio and, as the owner, run: ${tables} (a table without any policy: restore a backup)`,
      ),
    );
  }
  if (!has_caller)
    found.push(
      problem(
        'isolation',
        'auth.uid() is missing, so no policy can tell who asks',
        'Restore a backup: npm run lowrank -- restore FILE',
      ),
    );
  if (unguarded.length === 0 && has_caller)
    found.push(ok('isolation', "forced by policy on every table that holds people's rows"));
  return found;
}

/** Why the database could not be asked. `code`: the system's or PostgreSQL's own. */
export function judgeUnreachable(code: string | undefined, words: string, where: string): Finding {
  const name = 'Check user, password, host and port in DATABASE_URL';
  if (code === 'ECONNREFUSED')
    return problem(
      'database',
      `${where} refuses connections: nothing listens there`,
      `Start that server, or correct host and port in DATABASE_URL`,
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return problem('database', `${where}: there is no such host`, 'Correct the host in DATABASE_URL');
  if (code === '28P01' || code === '28000') return problem('database', `${where} refuses this login: ${words}`, name);
  if (code === '3D000')
    return problem('database', `${where}: ${words}`, 'Make it (CREATE DATABASE lowrank), or correct the name in DATABASE_URL');
  if (code === '53300')
    return problem(
      'database',
      `${where} has no connection left: ${words}`,
      'End what holds them, or raise max_connections of that server',
    );
  if (/timeout|timed out/i.test(words))
    return problem(
      'database',
      `${where} does not answer within ${ANSWER_MS / 1000} s`,
      'Look at that server and the network to it, then ask again: npm run lowrank -- doctor',
    );
  return problem('database', `${where}: ${words}`, name);
}

/** Logins that the database refuses with the passwords we keep. */
export function judgeRefused(refused: { login: Login; words: string }[]): Finding[] {
  if (refused.length === 0) return [];
  const named = refused.map(({ login, words }) => `lowrank_${login}: ${words}`).join('\n');
  return [problem('logins', `refused with the passwords of this data directory\n${named}`, `Set them again: ${MIGRATE}`)];
}

/** Where the embedded server lives; null with DATABASE_URL and before the first start. Throws `ServerError` with its cure. */
export async function findDatabaseHome(): Promise<Home | null> {
  if (env.DATABASE_URL !== undefined) return null;
  return findHome(join(env.data_dir, 'postgres'), await serverAccount(env.LOWRANK_DATABASE_ACCOUNT));
}

type Place = { state: 'url'; url: string; where: string } | { state: 'resting'; finding: Finding };

/** The owner's address of a database that runs, or what is to be said where none does. */
async function locate(): Promise<Place> {
  if (env.DATABASE_URL !== undefined) {
    const { host } = new URL(env.DATABASE_URL);
    return { state: 'url', url: env.DATABASE_URL, where: `DATABASE_URL, ${host}` };
  }
  // Says with its cure what is wrong with the server's own files or libraries.
  const binaries = await findBinaries({ home: env.data_dir, account: null });
  const home = await findDatabaseHome();
  if (home === null)
    return {
      state: 'resting',
      finding: ok('database', `PostgreSQL ${binaries.version} comes with Lowrank; the first start makes the database`),
    };
  const made_by = Number(await readFile(join(home.pgdata, 'PG_VERSION'), 'utf8'));
  if (made_by !== binaries.major) {
    const found = `its files were made by PostgreSQL ${made_by}, the server that comes with Lowrank is ${binaries.major}`;
    return {
      state: 'resting',
      finding: problem(
        'database',
        found,
        `Check out the version of Lowrank that brought ${made_by}, back up, and restore here: npm run lowrank -- restore FILE`,
      ),
    };
  }
  const postmaster = await readPostmaster(home.pgdata);
  const alive =
    postmaster !== null && (await isAlive(postmaster.pid)) && (await servesFolder(postmaster.pid, home.pgdata)) !== false;
  if (!alive) {
    const found = `PostgreSQL ${binaries.version} (${home.path}) is not running`;
    if (runningStudio() === null) return { state: 'resting', finding: ok('database', `${found}; npm start starts it`) };
    return {
      state: 'resting',
      finding: problem(
        'database',
        `${found}, although the studio does`,
        `See why: tail -n 30 ${join(home.path, 'server.log')}; then restart the studio: Ctrl-C there, npm start`,
      ),
    };
  }
  const { owner } = await readCredentials(home);
  const url = `postgres://${OWNER}:${encodeURIComponent(owner)}@127.0.0.1:${postmaster.port}/${DATABASE}`;
  return { state: 'url', url, where: `127.0.0.1:${postmaster.port}, process ${postmaster.pid}` };
}

/** The passwords that `migrate` gave to the logins; null before the first start. */
async function readPasswords(): Promise<LoginPasswords | null> {
  const text = await readFile(join(env.data_dir, 'database-logins.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as LoginPasswords);
}

async function findRefused(owner_url: string): Promise<{ login: Login; words: string }[]> {
  const passwords = await readPasswords();
  if (passwords === null) return [];
  const tried = await Promise.all(
    LOGINS.map((login) =>
      askDatabase(loginUrl(owner_url, login, passwords), ANSWER_MS, (client) => client.query('SELECT 1')).then(
        () => [],
        (error: Error) => [{ login, words: error.message }],
      ),
    ),
  );
  return tried.flat();
}

/** What is there of ours, held against what should be; of a Supabase project its storage, too. Reads catalogues and policies alone. */
export async function examineShape(client: Parameters<typeof readShape>[0]): Promise<Finding[]> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT quote_ident(relowner::regrole::text) AS owner FROM pg_class WHERE oid = 'lowrank.training_jobs'::regclass`,
  );
  const storage = (await isSupabase(client)) ? await readStorageFacts(client) : null;
  const expected = await expectedShape();
  const differences = compareShapes(expected, await readShape(client));
  return [...judgeShape(expected, differences, rows[0]?.owner ?? ''), ...judgeBuckets(storage)];
}

export const databaseCheck: Check = {
  topic: 'database',
  within_ms: 30_000,
  look: async () => {
    const place = await locate();
    if (place.state === 'resting') return [place.finding];
    try {
      const found = judgeDatabase(await askDatabase(place.url, ANSWER_MS, readDatabaseFacts), place.where);
      const migrated = found.some(({ topic, level }) => topic === 'migrations' && level === 'ok');
      if (!migrated) return found;
      const shaped = await askDatabase(place.url, ANSWER_MS, examineShape);
      return [...found, ...shaped, ...judgeRefused(await findRefused(place.url))];
    } catch (error) {
      return [judgeUnreachable(databaseErrorCode(error), error instanceof Error ? error.message : String(error), place.where)];
    }
  },
};

/** The scheduler login's address where a database runs; null where none does. */
export async function schedulerUrl(): Promise<string | null> {
  const place = await locate();
  const passwords = await readPasswords();
  return place.state === 'url' && passwords !== null ? loginUrl(place.url, 'scheduler', passwords) : null;
}
