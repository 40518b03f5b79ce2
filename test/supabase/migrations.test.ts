// What the migrations do to a Supabase project, and what they leave alone.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loginUrl, makePasswords, migrate } from '#/db/migrate.ts';
import { makeFreshProject } from './fresh-project.ts';
import { runSql } from './make-project.ts';
import { SHAPE_OF_THEIRS } from './shape-of-theirs.ts';

const OURS = `'lowrank', 'identity', 'lowrank_migrations'`;
let owner: string;
let behind: string;
let remove: () => Promise<void>;
const theirs = async () => (await runSql<{ line: string }>(behind, SHAPE_OF_THEIRS)).map(({ line }) => line);

/** Everything of ours that an API role was granted, as `privilege on thing to role`. */
const GRANTED = `
  WITH ours AS (SELECT oid, nspname, nspacl FROM pg_namespace WHERE nspname IN (${OURS})), api AS (
    SELECT oid, rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'authenticator')
    UNION ALL SELECT 0, 'PUBLIC')
  SELECT a.privilege_type || ' on ' || g.name || ' to ' || api.rolname AS line FROM (
    SELECT nspname::text AS name, nspacl AS acl FROM ours
    UNION ALL SELECT c.oid::regclass::text, c.relacl FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
    UNION ALL SELECT p.oid::regprocedure::text, p.proacl FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace WHERE p.prorettype <> 'trigger'::regtype
  ) g, aclexplode(g.acl) a JOIN api ON api.oid = a.grantee ORDER BY 1`;

beforeAll(async () => {
  ({ owner, behind, remove } = await makeFreshProject());
});
afterAll(() => remove());

describe('migrations of a Supabase project', () => {
  const passwords = inject('database').passwords;

  test('are run by an owner who is no superuser and grants new things to everybody by default', async () => {
    const [me] = await runSql(owner, 'SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user');
    expect(me).toEqual({ rolname: 'postgres', rolsuper: false, rolbypassrls: true });
    await runSql(owner, 'CREATE SCHEMA open_to_all; CREATE TABLE open_to_all.rows (id int)');
    expect(await runSql(behind, 'SET ROLE anon; SELECT count(*)::int AS n FROM open_to_all.rows')).toEqual([{ n: 0 }]);
    await runSql(owner, 'DROP SCHEMA open_to_all CASCADE');
  });

  test('leave auth, storage, extensions, public and the default privileges as they were', async () => {
    const before = await theirs();
    expect(before.length).toBeGreaterThan(60);
    await migrate(owner, passwords);
    expect(await theirs()).toEqual(before);
  });

  test('give its API roles nothing of ours: no schema, table, sequence or function', async () => {
    expect(await runSql(behind, GRANTED)).toEqual([]);
    for (const role of ['anon', 'authenticated', 'service_role']) {
      const looked = runSql(behind, `SET ROLE ${role}; SELECT FROM lowrank.training_jobs`);
      await expect(looked, role).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('keep what somebody granted on purpose when they run again', async () => {
    await runSql(
      owner,
      'GRANT USAGE ON SCHEMA lowrank TO authenticated; GRANT SELECT (id, name) ON lowrank.training_jobs TO authenticated',
    );
    await migrate(owner, passwords);
    expect(await runSql(behind, `SET ROLE authenticated; SELECT count(id)::int AS n FROM lowrank.training_jobs`)).toEqual([
      { n: 0 },
    ]);
    expect(await runSql(behind, GRANTED)).toEqual([{ line: 'USAGE on lowrank to authenticated' }]);
    await runSql(
      owner,
      'REVOKE ALL ON lowrank.training_jobs FROM authenticated; REVOKE ALL ON SCHEMA lowrank FROM authenticated',
    );
  });

  test("ask Supabase's own auth.uid(), which our logins may call though its schema is closed to them", async () => {
    const id = randomUUID();
    await runSql(behind, `INSERT INTO identity.users (id, name, email) VALUES ('${id}', 'n', '${id}@example.test')`);
    await runSql(behind, `INSERT INTO lowrank.projects (user_id, name) VALUES ('${id}', 'p')`);
    const seenBy = (sub: string) =>
      runSql<{ name: string }>(
        loginUrl(owner, 'web', passwords),
        `SELECT set_config('request.jwt.claims', '{"sub":"${sub}"}', false); SELECT name FROM lowrank.projects`,
      );
    expect([await seenBy(id), await seenBy(randomUUID())]).toEqual([[{ name: 'p' }], []]);
    const [schema] = await runSql(behind, `SELECT has_schema_privilege('lowrank_web', 'auth', 'USAGE') AS open`);
    expect(schema).toEqual({ open: false });
  });

  test("have each login's address follow a pooler's tenant", () => {
    const made = loginUrl('postgres://postgres.abcdefghijkl:pw@pooler.example.test:5432/postgres', 'web', makePasswords());
    expect(new URL(made).username).toBe('lowrank_web.abcdefghijkl');
    expect(new URL(loginUrl('postgres://postgres:pw@db.example.test/postgres', 'web', makePasswords())).username).toBe(
      'lowrank_web',
    );
  });
});
