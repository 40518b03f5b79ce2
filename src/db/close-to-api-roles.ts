import type pg from 'pg';

/** The roles under which a Supabase project answers to the outside. What may be theirs of ours, its owner grants by column. */
const API_ROLES = ['anon', 'authenticated', 'service_role'];

/** Everything of our schemas that can be granted, each with the words by which GRANT and REVOKE name it. */
const GRANTABLE = `
  WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('lowrank', 'identity', 'lowrank_migrations'))
  SELECT format('SCHEMA %I', nspname) AS name FROM ours
  UNION ALL SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, nspname, relname)
    FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL SELECT format('FUNCTION %s', p.oid::regprocedure) FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace`;

async function grantable(client: pg.Client): Promise<Set<string>> {
  return new Set((await client.query<{ name: string }>(GRANTABLE)).rows.map(({ name }) => name));
}

/**
 * Runs `migrations` and takes what they made away from a Supabase project's API roles, to which its default privileges may
 * have given it. What was there before keeps the grants that it has: they are somebody's decision.
 */
export async function closedToApiRoles(client: pg.Client, migrations: () => Promise<void>): Promise<void> {
  const before = await grantable(client);
  await migrations();
  const roles = await client.query<{ name: string }>(
    'SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname = ANY ($1)',
    [API_ROLES],
  );
  if (roles.rows.length === 0) return;
  const made = [...(await grantable(client))].filter((name) => !before.has(name));
  const whom = roles.rows.map(({ name }) => name).join(', ');
  if (made.length > 0) await client.query(made.map((name) => `REVOKE ALL ON ${name} FROM ${whom}`).join('; '));
}
