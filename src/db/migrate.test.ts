import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_JOB_TRANSITIONS } from '#/domain/statuses.ts';
import { POSTGRES_15_BIN } from '../../test/postgres-15.ts';
import { type DatabaseServer, ensureServer } from './embedded/ensure-server.ts';
import { loginUrl, makePasswords, migrate } from './migrate.ts';
import { LOGINS } from './pools.ts';

const VERSIONS = [
  { major: 15, bin_dir: POSTGRES_15_BIN },
  { major: 18, bin_dir: undefined },
];

async function rows<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Everything that a migration could leave different, as text. */
const SHAPE = `
  SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
  FROM information_schema.columns WHERE table_schema IN ('lowrank', 'identity')
  UNION ALL SELECT schemaname || '.' || tablename || ' ' || policyname || ' ' || cmd || ' ' || roles::text || ' ' || coalesce(qual, '') || ' ' || coalesce(with_check, '')
  FROM pg_policies WHERE schemaname IN ('lowrank', 'identity')
  UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace IN ('lowrank'::regnamespace, 'identity'::regnamespace) AND contype IN ('p', 'u', 'f', 'c')
  UNION ALL SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
  ORDER BY 1`;

describe.each(VERSIONS)('migrations on PostgreSQL $major', ({ major, bin_dir }) => {
  const folder = mkdtempSync(join(tmpdir(), `lowrank-migrate-${major}-`));
  const passwords = makePasswords();
  let server: DatabaseServer;

  beforeAll(async () => {
    server = await ensureServer({ data_dir: folder, bin_dir, durable: false, outlives_us: false, log: () => undefined });
  });
  afterAll(async () => {
    await server?.stop('immediate');
    rmSync(folder, { recursive: true, force: true });
  });

  test('the server is the version that it is said to be', async () => {
    const [version] = await rows<{ server_version_num: string }>(server.url, 'SHOW server_version_num');
    expect(Math.floor(Number(version?.server_version_num) / 10_000)).toBe(major);
  });

  test('two at once and a third later leave one whole database', async () => {
    await Promise.all([migrate(server.url, passwords), migrate(server.url, passwords)]);
    const before = await rows<{ line: string }>(server.superuser_url, SHAPE);
    await migrate(server.url, passwords);
    expect(await rows(server.superuser_url, SHAPE)).toEqual(before);
    expect(before.length).toBeGreaterThan(200);
    const pairs = await rows<{ from_status: string; to_status: string }>(
      server.superuser_url,
      'SELECT * FROM lowrank.job_transitions',
    );
    expect(pairs.map((pair) => `${pair.from_status} ${pair.to_status}`).sort()).toEqual(
      LEGAL_JOB_TRANSITIONS.map((pair) => pair.join(' ')).sort(),
    );
  });

  test('each login gets in with its own password, is no superuser and owns nothing', async () => {
    for (const login of LOGINS) {
      const [role] = await rows<{ name: string; rolsuper: boolean; rolbypassrls: boolean; owned: number }>(
        loginUrl(server.url, login, passwords),
        `SELECT current_user AS name, rolsuper, rolbypassrls, (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid) AS owned
         FROM pg_roles r WHERE rolname = current_user`,
      );
      expect(role).toEqual({ name: `lowrank_${login}`, rolsuper: false, rolbypassrls: false, owned: 0 });
      const other = loginUrl(server.url, login, makePasswords());
      await expect(rows(other, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    }
  });

  test('people who came by an access token before they were marked are marked, and nobody else', async () => {
    const [token, local] = ['5a2f0c9e-0000-4000-8000-000000000001', '5a2f0c9e-0000-4000-8000-000000000002'];
    await rows(
      server.superuser_url,
      `INSERT INTO identity.users (id, name, email) VALUES ('${token}', 'a', '${token}@supabase.invalid'), ('${local}', 'b', 'b@example.test')`,
    );
    const migrations = join(import.meta.dirname, 'migrations');
    const file = (await readdir(migrations)).find((name) => name.endsWith('_token-subjects.sql')) ?? '';
    const upgrade = await readFile(join(migrations, file), 'utf8');
    await rows(server.url, `ALTER TABLE identity.users DROP COLUMN is_subject; ${upgrade}`);
    expect(await rows(server.superuser_url, 'SELECT id, is_subject FROM identity.users ORDER BY id')).toEqual([
      { id: token, is_subject: true },
      { id: local, is_subject: false },
    ]);
    const [forced] = await rows(
      server.url,
      `SELECT relforcerowsecurity AS is FROM pg_class WHERE oid = 'identity.users'::regclass`,
    );
    expect(forced).toEqual({ is: true });
  });

  test('jobs that were there before their counters are counted, each person’s by themselves', async () => {
    const [one, other] = ['6b2f0c9e-0000-4000-8000-000000000001', '6b2f0c9e-0000-4000-8000-000000000002'];
    await rows(
      server.superuser_url,
      `INSERT INTO identity.users (id, name, email) VALUES ('${one}', 'a', 'c@example.test'), ('${other}', 'b', 'd@example.test');
       SET session_replication_role = replica;
       INSERT INTO lowrank.training_jobs (user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config,
         total_epochs, total_steps, status, error_code, held_at)
       SELECT '${one}', 'j', 'lora', gen_random_uuid(), gen_random_uuid(), 'fast', '{}', '{}', '{}', 1, 1, status,
         CASE WHEN status = 'failed' THEN 'internal' END, now()
       FROM unnest(ARRAY['queued', 'completed', 'completed', 'failed', 'failed', 'failed', 'cancelled']) AS status`,
    );
    const migrations = join(import.meta.dirname, 'migrations');
    const files = (await readdir(migrations)).filter((name) => /_job-count(s|-rules)\.sql$/.test(name)).sort();
    expect(files).toHaveLength(2);
    const upgrade = await Promise.all(files.map((name) => readFile(join(migrations, name), 'utf8')));
    const columns = ['waiting', 'completed', 'failed', 'cancelled'].map((name) => `DROP COLUMN ${name}`).join(', ');
    await rows(server.url, `ALTER TABLE lowrank.user_queues ${columns}; ${upgrade.join(';')}`);
    expect(
      await rows(
        server.superuser_url,
        `SELECT waiting, completed, failed, cancelled FROM lowrank.user_queues WHERE user_id IN ('${one}', '${other}') ORDER BY user_id`,
      ),
    ).toEqual([
      { waiting: 1, completed: 2, failed: 3, cancelled: 1 },
      { waiting: 0, completed: 0, failed: 0, cancelled: 0 },
    ]);
    const [forced] = await rows(
      server.url,
      `SELECT relforcerowsecurity AS is FROM pg_class WHERE oid = 'lowrank.user_queues'::regclass`,
    );
    expect(forced).toEqual({ is: true });
  });

  test('unset and empty claims are nobody, not an error', async () => {
    const answers = await rows<{ unset: string | null; empty: string | null; empty_sub: string | null }>(
      server.url,
      `SELECT auth.uid() AS unset,
        (SELECT auth.uid() FROM set_config('request.jwt.claims', '', false)) AS empty,
        (SELECT auth.uid() FROM set_config('request.jwt.claims', '{"sub":""}', false)) AS empty_sub`,
    );
    expect(answers).toEqual([{ unset: null, empty: null, empty_sub: null }]);
  });
});

describe('a database that has an auth schema of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lowrank-migrate-auth-'));
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await ensureServer({ data_dir: folder, durable: false, outlives_us: false, log: () => undefined });
  });
  afterAll(async () => {
    await server?.stop('immediate');
    rmSync(folder, { recursive: true, force: true });
  });

  test('keeps its auth.uid() as it is, and its API roles get nothing', async () => {
    const uid = `CREATE SCHEMA auth; CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('theirs', true), '')::uuid $$;
      CREATE ROLE anon; CREATE ROLE authenticated; GRANT USAGE ON SCHEMA auth TO PUBLIC`;
    await rows(server.superuser_url, uid);
    await migrate(server.url, makePasswords());
    const [source] = await rows<{ prosrc: string }>(
      server.superuser_url,
      `SELECT prosrc FROM pg_proc WHERE oid = 'auth.uid()'::regprocedure`,
    );
    expect(source?.prosrc).toContain('theirs');
    const grants = await rows(
      server.superuser_url,
      `SELECT table_name FROM information_schema.table_privileges WHERE table_schema IN ('lowrank', 'identity') AND grantee IN ('anon', 'authenticated', 'PUBLIC')`,
    );
    expect(grants).toEqual([]);
  });
});
