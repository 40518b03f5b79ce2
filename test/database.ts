/** A database of its own for one test file, and people and rows to fill it with. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { loginUrl } from '#/db/migrate.ts';
import { connectDatabase, disconnectDatabase, LOGINS, type Login } from '#/db/pools.ts';
import { TEMPLATE, withDatabase } from './template-database.ts';

export interface TestDatabase {
  /** The superuser's address: to look behind everything. */
  superuser_url: string;
  /** The owner's address, who obeys policies. */
  owner_url: string;
  /** The address of one of the product's logins. */
  loginUrl(login: Login): string;
  /** Runs one statement behind all policies: to set a scene and to look, never for the code under test. */
  asOwner<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
}

// The superuser's: a connection of theirs that is still on its way out may only be ended by them.
async function onServer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('database').superuser_url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** Registers hooks that give this file a fresh copy of the migrated template, and connects the product's logins to it. */
export function useDatabase(): TestDatabase {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const { owner_url, superuser_url, passwords } = inject('database');
  const url = withDatabase(owner_url, name);
  const behind = withDatabase(superuser_url, name);
  let owner: pg.Client | undefined;

  beforeAll(async () => {
    await onServer(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} OWNER ${new URL(owner_url).username}`);
    owner = new pg.Client({ connectionString: behind });
    await owner.connect();
    connectDatabase(Object.fromEntries(LOGINS.map((login) => [login, loginUrl(url, login, passwords)])), {
      connections_max: 10,
    });
  });
  afterAll(async () => {
    await disconnectDatabase();
    await owner?.end();
    await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  return {
    superuser_url: behind,
    owner_url: url,
    loginUrl: (login) => loginUrl(url, login, passwords),
    async asOwner<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
      if (owner === undefined) throw new Error('asOwner is for inside a test');
      return (await owner.query<T>(text, values)).rows;
    },
  };
}
