/** What keys could tell: that a row refers to another's, that a value is taken. Policies do not bind them, so they must carry the owner. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../test/database.ts';
import { addTenant, newSecret, type Tenant } from '../../test/http-scene.ts';

const db = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'lowrank-references-'));
let a: Tenant;
let b: Tenant;
let client: pg.Client;

beforeAll(async () => {
  connectStorage(localFolder(folder));
  a = await addTenant(db, newSecret('a'));
  b = await addTenant(db, newSecret('b'));
  client = new pg.Client({ connectionString: db.superuser_url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  rmSync(folder, { recursive: true, force: true });
});

interface Reference {
  name: string;
  child: string;
  parent: string;
  /** Besides the owner: the child's column and the parent's. */
  column: string;
  key: string;
}

/** Every key of one owned table into another. */
async function ownedReferences(): Promise<Reference[]> {
  const { rows } = await client.query<Reference>(`
    SELECT k.conname AS name, k.conrelid::regclass::text AS child, k.confrelid::regclass::text AS parent, c.attname AS column, p.attname AS key
    FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (child, parent)
    JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = pair.child
    JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = pair.parent
    WHERE k.contype = 'f' AND k.connamespace = 'lowrank'::regnamespace AND p.attname <> 'user_id'
      AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = k.confrelid AND o.attname = 'user_id' AND NOT o.attisdropped)
    ORDER BY 1`);
  return rows;
}

/** Lets a row of B point somewhere, and answers what the database says; undone afterwards. */
async function pointAt({ child, column }: Reference, row: string, value: unknown): Promise<string> {
  await client.query('BEGIN');
  try {
    // The guards of who may write what stand before the keys, and are no part of this.
    await client.query(`ALTER TABLE ${child} DISABLE TRIGGER USER`);
    await client.query(`UPDATE ${child} SET "${column}" = $1 WHERE ctid = $2::tid`, [value, row]);
    return 'done';
  } catch (error) {
    const { code, message, detail } = error as pg.DatabaseError;
    return `${code} ${message} ${detail}`.replaceAll(String(value), '<asked>').replaceAll(a.user_id, '<a>');
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Of these a person's own statement writes none, whatever is granted: their triggers do, which the policy asks for. */
const BY_TRIGGER = new Set(['lowrank.job_events']);

/** Whether the login that serves people may say where such a row points. */
async function mayPointFreely({ child, column }: Reference): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT has_column_privilege('lowrank_web', $1, $2, 'INSERT') OR has_column_privilege('lowrank_web', $1, $2, 'UPDATE') AS may`,
    [child, column],
  );
  return rows[0]?.may === true && !BY_TRIGGER.has(child);
}

test('no row can point at another’s row, and the refusal is the one of a row that is not there', async () => {
  const references = await ownedReferences();
  expect(references.length).toBeGreaterThan(14);
  for (const reference of references) {
    const { name, child, parent, column, key } = reference;
    const keysOf = async (user_id: string) =>
      (
        await client.query<{ key: unknown }>(`SELECT "${key}" AS key FROM ${parent} WHERE user_id = $1 ORDER BY 1`, [user_id])
      ).rows.map((row) => row.key);
    const own = await keysOf(b.user_id);
    // Numbers that everybody has, such as those of slots, are everybody's own.
    const foreign = (await keysOf(a.user_id)).filter((one) => !own.includes(one));
    if (foreign.length === 0 && own.length > 0 && typeof own[0] === 'number') continue;
    expect([name, foreign.length > 0, own.length > 0]).toEqual([name, true, true]);
    const owner = child === 'lowrank.base_models' ? 'created_by' : 'user_id';
    const rows = await client.query<{ row: string }>(`SELECT ctid::text AS row FROM ${child} WHERE ${owner} = $1`, [b.user_id]);
    const able: string[] = [];
    for (const { row } of rows.rows) {
      const one = own.find((value) => value !== undefined);
      if ((await pointAt(reference, row, one)) === 'done') able.push(row);
    }
    expect([name, `${child}.${column}`, able.length > 0]).toEqual([name, `${child}.${column}`, true]);
    const [row = ''] = able;
    const none = await pointAt(reference, row, randomUUID());
    expect([name, none]).toEqual([name, expect.stringMatching(/^23503 /)]);
    for (const value of foreign) {
      const told = await pointAt(reference, row, value);
      // That a number below a parent is taken is told before the parent is looked at: to whoever may write there, which no person may.
      if (told.startsWith('23505') && !(await mayPointFreely(reference))) continue;
      expect([name, told]).toEqual([name, none]);
    }
  }
});

/** Ids that stand in no key, and why nobody learns of another's row by them. */
const IN_NO_KEY: Record<string, string> = {
  'activities.entity_id': 'its verb looks for the thing as the caller; the thing may be gone by now',
  'experiments.recipe_id': 'a built-in style has no row, and a template may be gone by now; it is looked for as the caller',
  'training_jobs.recipe_id': 'the same',
  'training_jobs.artifact_id': 'written by the worker alone, which made both',
  'model_artifacts.parent_model_id': 'written by the worker alone, of the adapter that it looked for among its owner’s',
  'idempotency_keys.resource_id': 'the caller’s own answer; it is looked for as the caller',
};

test('every column that holds an id is in a key that carries its owner, or is on the list with its reason', async () => {
  const { rows } = await client.query<{ name: string }>(`
    SELECT c.relname || '.' || a.attname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'lowrank'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
      AND (a.atttypid = 'uuid'::regtype OR a.attname = 'resource_id') AND a.attname <> 'id'
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = c.oid AND a.attnum = ANY (k.conkey))
    ORDER BY 1`);
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(IN_NO_KEY).sort());
});

/** Unique values that do not begin with their owner, and why a conflict tells nobody of another's. */
const UNIQUE_FOR_ALL: Record<string, string> = {
  gpu_catalog_type_key: 'the catalogue is everybody’s',
  training_images_name_key: 'the list is everybody’s',
  gpu_devices_uuid_key: 'the machine’s; no user may write it',
  gpu_leases_open_key: 'the machine’s; no user may write it',
  gpu_reservations_pkey: 'the machine’s; no user may write it',
  job_transitions_from_status_to_status_pk: 'the rules of the house',
  rate_limits_pkey: 'its buckets end in their user’s id; no user may write it',
  run_groups_gpu_stack_version_method_formulas_pk: 'the installation’s; no user may write it',
  settings_pkey: 'the installation’s; no user may write it',
};

test('no unique value is shared among people: each begins with its owner, an id made here, or is on the list with its reason', async () => {
  const { rows } = await client.query<{ name: string; first: string; parent: boolean }>(`
    SELECT i.indexrelid::regclass::text AS name, coalesce(a.attname, '') AS first,
      EXISTS (SELECT FROM pg_constraint k JOIN pg_attribute o ON o.attrelid = k.conrelid AND o.attname = 'user_id'
              WHERE k.contype = 'f' AND k.conrelid = i.indrelid AND a.attnum = ANY (k.conkey) AND o.attnum = ANY (k.conkey)) AS parent
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] AND i.indkey[0] > 0
    WHERE i.indisunique AND c.relnamespace = 'lowrank'::regnamespace AND c.relkind = 'r' ORDER BY 1`);
  expect(rows.length).toBeGreaterThan(25);
  const others = rows.filter(({ first, parent }) => first !== 'user_id' && first !== 'id' && !parent);
  expect(others.map(({ name }) => name.replace('lowrank.', ''))).toEqual(Object.keys(UNIQUE_FOR_ALL).sort());
  // By an id no request can ask whether it is taken: ids are made here, never named by whoever makes a thing.
  const ids = rows.filter(({ first }) => first === 'id').length;
  expect(ids).toBeGreaterThan(10);
});

test('nothing counts everybody’s rows: there is no sequence, no view, and no rule', async () => {
  const { rows } = await client.query<{ name: string }>(`
    SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE c.relnamespace IN ('lowrank'::regnamespace, 'identity'::regnamespace) AND (c.relkind IN ('S', 'v', 'm', 'f') OR c.relhasrules)`);
  expect(rows).toEqual([]);
});
