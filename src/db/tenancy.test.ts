import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';
import { findLeaks } from '../../test/tenancy-check.ts';
import type { Tenants } from '../../test/tenancy-player.ts';
import { addTenantRows } from '../../test/tenancy-scene.ts';
import { asUser } from './tenancy.ts';

const db = useDatabase();
const tenants = {} as Tenants;
let client: pg.Client;

beforeAll(async () => {
  tenants.a = await addPerson(db);
  tenants.b = await addPerson(db);
  await addTenantRows(db, tenants.a);
  await addTenantRows(db, tenants.b);
  client = new pg.Client({ connectionString: db.superuser_url });
  await client.connect();
});
afterAll(() => client.end());

async function undone<T>(work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

describe('tenancy', () => {
  test("no tenant sees, changes, adds to or refers to another's rows; every table is forced under policy", async () => {
    expect(await undone(() => findLeaks(client, tenants))).toEqual([]);
  });

  test('dropping or widening any policy, or unforcing any table, is found', async () => {
    const policies = await client.query<{ table: string; name: string; cmd: string; permissive: string; idle: boolean }>(
      `SELECT schemaname || '.' || tablename AS table, policyname AS name, cmd, permissive,
              roles <@ ARRAY(SELECT rolname FROM pg_roles WHERE rolbypassrls) AS idle
       FROM pg_policies WHERE schemaname IN ('lowrank', 'identity') ORDER BY 1, 2`,
    );
    const mutations: [table: string, change: string][] = [];
    for (const { table, name, cmd, permissive, idle } of policies.rows) {
      // A Supabase project's owner passes every policy: what lets the owner in does nothing there, and may only be widened.
      if (!idle) mutations.push([table, `DROP POLICY ${name} ON ${table}`]);
      const using = cmd === 'INSERT' ? '' : 'USING (true)';
      const check = cmd === 'SELECT' || cmd === 'DELETE' ? '' : 'WITH CHECK (true)';
      const already = ['settings_read', 'job_transitions_read'].includes(name);
      if (!already)
        mutations.push([
          table,
          `ALTER POLICY ${name} ON ${table} TO PUBLIC ${using} ${permissive === 'RESTRICTIVE' ? '' : check}`,
        ]);
    }
    const tables = await client.query<{ table: string }>(
      `SELECT schemaname || '.' || tablename AS table FROM pg_tables WHERE schemaname IN ('lowrank', 'identity')`,
    );
    for (const { table } of tables.rows)
      mutations.push(
        [table, `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`],
        [table, `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`],
      );
    expect(await undone(() => findLeaks(client, tenants))).toEqual([]);
    const unnoticed: string[] = [];
    for (const [table, mutation] of mutations) {
      const found = await undone(async () => {
        await client.query(mutation);
        return findLeaks(client, tenants, table);
      });
      if (found.length === 0) unnoticed.push(mutation);
    }
    expect(unnoticed).toEqual([]);
    expect(mutations.length).toBeGreaterThan(80);
  }, 400_000);

  test('claims never stay on a pooled connection', async () => {
    const ids = Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? tenants.a : tenants.b));
    await Promise.all(
      ids.map(async (user_id, at) => {
        const work = asUser(user_id, async (tx) => {
          const rows = await tx.query.trainingJobs.findMany({ columns: { user_id: true } });
          if (at % 7 === 0) throw new Error('aborted on purpose');
          return rows;
        });
        const rows = await work.catch((error: Error) => {
          expect(error.message).toBe('aborted on purpose');
          return [{ user_id }, { user_id }];
        });
        expect(rows.map((row) => row.user_id)).toEqual([user_id, user_id]);
      }),
    );
  });
});
