// The two buckets of a Supabase project and who may reach what lies in them. `storage` is the project's: rows and policies, and no more.
import type pg from 'pg';
import { BUCKETS } from '#/domain/buckets.ts';

/** One thing that is missing or not as it must be, and the statement that mends it. */
export interface StorageStep {
  what: string;
  sql: string;
}

const NAMES = `ARRAY[${Object.values(BUCKETS)
  .map(({ name }) => `'${name}'`)
  .join(', ')}]`;
const IN_OURS = `bucket_id = ANY (${NAMES})`;
/** The first folder is whose the file is. A step up would leave it. */
const OWN = `(storage.foldername(name))[1] = (SELECT auth.uid())::text AND '..' <> ALL (storage.foldername(name))`;

interface Policy {
  name: string;
  what: string;
  cmd: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'ALL';
  roles: string[];
  restrictive: boolean;
  using: string | null;
  check: string | null;
}

const own = (cmd: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'): Policy => ({
  name: `lowrank_${cmd.toLowerCase()}_own`,
  what: `people may ${cmd.toLowerCase()} files of their own folder`,
  cmd,
  roles: ['authenticated'],
  restrictive: false,
  using: cmd === 'INSERT' ? null : `${IN_OURS} AND ${OWN}`,
  check: cmd === 'INSERT' || cmd === 'UPDATE' ? `${IN_OURS} AND ${OWN}` : null,
});

const POLICIES: Policy[] = [
  // Whatever other policies this project has or gets: they open nothing of these two buckets.
  {
    name: 'lowrank_nothing_of_others',
    what: 'no other policy opens these buckets',
    cmd: 'ALL',
    roles: ['anon', 'authenticated'],
    restrictive: true,
    using: `bucket_id <> ALL (${NAMES}) OR (${OWN})`,
    check: `bucket_id <> ALL (${NAMES}) OR (${OWN})`,
  },
  ...(['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const).map(own),
];

/** An expression without what the database adds when it tells it: casts, parentheses, blanks and the name of a subquery's column. */
const plain = (expression: string | null): string => (expression ?? '').replaceAll(/::text|\bAS uid\b|[()\s]/g, '').toLowerCase();

function sqlOf(policy: Policy): string {
  const { name, cmd, roles, restrictive, using, check } = policy;
  return [
    `DROP POLICY IF EXISTS ${name} ON storage.objects;`,
    `CREATE POLICY ${name} ON storage.objects AS ${restrictive ? 'RESTRICTIVE' : 'PERMISSIVE'} FOR ${cmd} TO ${roles.join(', ')}`,
    ...(using === null ? [] : [`  USING (${using})`]),
    ...(check === null ? [] : [`  WITH CHECK (${check})`]),
  ]
    .join('\n')
    .concat(';');
}

/** Says if this is a Supabase project's database. */
export async function isSupabase(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>(
    `SELECT to_regclass('storage.buckets') IS NOT NULL AND to_regclass('storage.objects') IS NOT NULL
       AND to_regprocedure('storage.foldername(text)') IS NOT NULL AND to_regprocedure('auth.uid()') IS NOT NULL
       AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') AS is`,
  );
  return rows[0]?.is === true;
}

/** What keeps people's files apart in a project, as it is. */
export interface StorageFacts {
  /** Row-level security of storage.objects, on which every policy rests. */
  enabled: boolean;
  /** What is to be done; empty when all is as it must be. */
  steps: StorageStep[];
}

/** Compares a project's storage with what it must be. Reads, and changes nothing. */
export async function readStorageFacts(client: pg.Client): Promise<StorageFacts> {
  const steps: StorageStep[] = [];
  const buckets = await client.query<{ id: string; public: boolean; file_size_limit: string | null }>(
    `SELECT id, public, file_size_limit FROM storage.buckets WHERE id = ANY (${NAMES})`,
  );
  for (const { name, file_bytes_max } of Object.values(BUCKETS)) {
    const found = buckets.rows.find(({ id }) => id === name);
    if (found === undefined) {
      steps.push({
        what: `the private bucket ${name}, up to ${file_bytes_max} bytes a file`,
        sql: `INSERT INTO storage.buckets (id, name, public, file_size_limit) VALUES ('${name}', '${name}', false, ${file_bytes_max}) ON CONFLICT DO NOTHING;`,
      });
    } else if (found.public || Number(found.file_size_limit) !== file_bytes_max) {
      steps.push({
        what: `the bucket ${name} private, up to ${file_bytes_max} bytes a file`,
        sql: `UPDATE storage.buckets SET public = false, file_size_limit = ${file_bytes_max} WHERE id = '${name}';`,
      });
    }
  }
  const policies = await client.query<{
    name: string;
    cmd: string;
    permissive: string;
    roles: string[];
    qual: string;
    check: string;
  }>(
    `SELECT policyname AS name, cmd, permissive, roles::text[] AS roles, qual, with_check AS check FROM pg_policies
     WHERE schemaname = 'storage' AND tablename = 'objects' AND policyname LIKE 'lowrank\\_%'`,
  );
  for (const policy of POLICIES) {
    const found = policies.rows.find(({ name }) => name === policy.name);
    const right =
      found !== undefined &&
      found.cmd === policy.cmd &&
      (found.permissive === 'RESTRICTIVE') === policy.restrictive &&
      found.roles.toSorted().join() === policy.roles.join() &&
      plain(found.qual) === plain(policy.using) &&
      plain(found.check) === plain(policy.check);
    if (!right) steps.push({ what: `the policy ${policy.name}: ${policy.what}`, sql: sqlOf(policy) });
  }
  const table = await client.query<{ enabled: boolean }>(
    `SELECT relrowsecurity AS enabled FROM pg_class WHERE oid = 'storage.objects'::regclass`,
  );
  return { enabled: table.rows[0]?.enabled === true, steps };
}

/** Any fixed number: of two set-ups at once one waits. */
const SET_UP_LOCK = 7_205_914;

/**
 * Brings a project's storage to what it must be, all of it or nothing, and answers what it did. A policy's statement locks
 * tables that sign-ins need, so it waits for none of them long.
 */
export async function setUpStorage(client: pg.Client): Promise<StorageStep[]> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(${SET_UP_LOCK})`);
    const { steps } = await readStorageFacts(client);
    for (const { sql } of steps) await client.query(sql);
    await client.query('COMMIT');
    return steps;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
