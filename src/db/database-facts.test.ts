import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { askDatabase, type DatabaseFacts, readDatabaseFacts } from './database-facts.ts';

const database = useDatabase();

describe('what a database says of itself', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: database.superuser_url });
    await client.connect();
  });
  afterAll(() => client.end());

  /** The facts after a change that is taken back. */
  async function upon(change: string): Promise<DatabaseFacts> {
    await client.query('BEGIN');
    try {
      await client.query(change);
      return await readDatabaseFacts(client);
    } finally {
      await client.query('ROLLBACK');
    }
  }

  it('is, once migrated: up to date, guarded, and reached by logins that obey policies', async () => {
    const facts = await askDatabase(database.owner_url, 5_000, readDatabaseFacts);
    expect(facts).toMatchObject({
      major: 18,
      owner: { name: 'lowrank_owner', exists: true, superuser: false },
      migrations_missing: 0,
      migrations_ahead: false,
      unguarded: [],
      has_caller: true,
    });
    expect(facts.logins.map(({ name }) => name)).toEqual([
      'lowrank_web',
      'lowrank_scheduler',
      'lowrank_identity',
      'lowrank_delivery',
    ]);
    expect(facts.logins.every((role) => role.exists && !role.superuser && !role.bypasses_policies)).toBe(true);
  });

  it.each([
    'ALTER TABLE lowrank.datasets NO FORCE ROW LEVEL SECURITY',
    'ALTER TABLE lowrank.datasets DISABLE ROW LEVEL SECURITY',
    'DROP POLICY datasets_own ON lowrank.datasets; DROP POLICY datasets_scheduler ON lowrank.datasets; DROP POLICY datasets_existence ON lowrank.datasets',
  ])('names a table that is no longer guarded: %s', async (change) => {
    expect((await upon(change)).unguarded).toEqual(['lowrank.datasets']);
  });

  it('tells a login that may too much, and one that is not there', async () => {
    const web = async (change: string) => (await upon(change)).logins.find(({ name }) => name === 'lowrank_web');
    expect(await web('ALTER ROLE lowrank_web SUPERUSER')).toMatchObject({ superuser: true });
    expect(await web('ALTER ROLE lowrank_web BYPASSRLS')).toMatchObject({ bypasses_policies: true });
    expect(await web('ALTER ROLE lowrank_web RENAME TO somebody_else')).toMatchObject({ exists: false });
  });

  it('counts migrations that are missing, and knows newer ones than its own', async () => {
    const table = 'lowrank_migrations.__drizzle_migrations';
    const newest = `(SELECT max(created_at) FROM ${table})`;
    expect((await upon(`DELETE FROM ${table} WHERE created_at = ${newest}`)).migrations_missing).toBe(1);
    expect((await upon(`DROP SCHEMA lowrank_migrations CASCADE`)).migrations_missing).toBeGreaterThan(4);
    expect((await upon(`INSERT INTO ${table} (hash, created_at) SELECT 'x', ${newest} + 1`)).migrations_ahead).toBe(true);
  });

  it('misses the function that every policy asks', async () => {
    expect((await upon('ALTER FUNCTION auth.uid() RENAME TO gone')).has_caller).toBe(false);
  });

  it('is asked within a time', async () => {
    const asked = askDatabase(database.owner_url, 200, (open) => open.query('SELECT pg_sleep(20)'));
    await expect(asked).rejects.toThrow(/timeout/);
  });
});
