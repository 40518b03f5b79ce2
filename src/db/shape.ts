// What the migrations make of a database, as text that can be compared: the truth lies in migrations/shape.json.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';

export const SHAPE_KINDS = ['table', 'column', 'index', 'policy', 'key', 'trigger', 'function', 'grant'] as const;
export type ShapeKind = (typeof SHAPE_KINDS)[number];

/** One thing of ours: where it is, and how it is, mostly as the statement that makes it. */
export interface ShapeItem {
  kind: ShapeKind;
  /** `schema.table`, or the function. */
  at: string;
  name: string;
  is: string;
}

export const SHAPE_FILE = join(import.meta.dirname, 'migrations/shape.json');

const SHAPE = `
  WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('lowrank', 'identity')),
       tables AS (SELECT c.*, n.nspname || '.' || c.relname AS at FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p'))
  SELECT 'table' AS kind, at, relname AS name, concat_ws(', ', CASE WHEN relrowsecurity THEN 'row-level security' END,
      CASE WHEN relforcerowsecurity THEN 'forced' END) AS is FROM tables
  UNION ALL SELECT 'column', t.at, a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    FROM pg_attribute a JOIN tables t ON t.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT 'index', t.at, c.relname, pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN tables t ON t.oid = i.indrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))
  UNION ALL SELECT 'policy', t.at, p.polname, concat_ws(' ', 'CREATE POLICY', quote_ident(p.polname), 'ON', t.at,
      'AS', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      'FOR', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      'TO', (SELECT string_agg(name, ', ' ORDER BY name) FROM unnest(p.polroles) r, LATERAL (SELECT CASE r WHEN 0 THEN 'PUBLIC'
        -- The owner's own name differs from one installation to the next.
        WHEN t.relowner THEN 'owner' ELSE r::regrole::text END AS name) named),
      'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy p JOIN tables t ON t.oid = p.polrelid
  UNION ALL SELECT 'key', t.at, k.conname, concat_ws(' ', 'ALTER TABLE', t.at, 'ADD CONSTRAINT', quote_ident(k.conname), pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'f', 'c')
  UNION ALL SELECT 'trigger', t.at, g.tgname, pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' (disabled)' END
    FROM pg_trigger g JOIN tables t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
  UNION ALL SELECT 'function', n.nspname || '.' || p.proname, p.proname, concat_ws(' ', md5(p.prosrc), CASE WHEN p.prosecdef THEN 'security definer' END,
      array_to_string(p.proconfig, ', ')) FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
  UNION ALL SELECT 'grant', t.at, r.rolname || coalesce(' ' || a.attname, ''), string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type)
    FROM tables t CROSS JOIN LATERAL (SELECT NULL::name AS attname, t.relacl AS acl
      UNION ALL SELECT attname, attacl FROM pg_attribute WHERE attrelid = t.oid AND attacl IS NOT NULL) a
    CROSS JOIN LATERAL aclexplode(a.acl) x JOIN pg_roles r ON r.oid = x.grantee
    WHERE r.rolname LIKE 'lowrank\\_%' AND x.grantee <> t.relowner GROUP BY t.at, r.rolname, a.attname
  ORDER BY 1, 2, 3`;

/** A database's shape as it is. Reads catalogues, never anybody's rows. */
export async function readShape(client: pg.Client): Promise<ShapeItem[]> {
  // What is told of a function or type depends on where names are looked for.
  await client.query(`SET search_path = pg_catalog`);
  return (await client.query<ShapeItem>(SHAPE)).rows;
}

/** The shape that this code's migrations make. */
export async function expectedShape(): Promise<ShapeItem[]> {
  return JSON.parse(await readFile(SHAPE_FILE, 'utf8')) as ShapeItem[];
}

/** How a database differs from what it should be. */
export type ShapeDifference =
  | { state: 'missing'; item: ShapeItem }
  | { state: 'changed'; item: ShapeItem; found: string }
  | { state: 'added'; item: ShapeItem };

/** Of what others add, only what could open rows is a difference: a policy, or a right of one of our logins. */
const WATCHED: ReadonlySet<ShapeKind> = new Set(['policy', 'grant']);

export function compareShapes(expected: ShapeItem[], found: ShapeItem[]): ShapeDifference[] {
  const keyOf = ({ kind, at, name }: ShapeItem) => `${kind} ${at} ${name}`;
  const there = new Map(found.map((item) => [keyOf(item), item]));
  const known = new Set(expected.map(keyOf));
  const tables = new Set(found.flatMap(({ kind, at }) => (kind === 'table' ? [at] : [])));
  const differences = expected.flatMap((item): ShapeDifference[] => {
    const now = there.get(keyOf(item));
    // What belonged to a table that is gone went with it: the table alone is told.
    const told = item.kind === 'table' || item.kind === 'function' || tables.has(item.at);
    if (now === undefined) return told ? [{ state: 'missing', item }] : [];
    return now.is === item.is ? [] : [{ state: 'changed', item, found: now.is }];
  });
  const added = found.filter((item) => WATCHED.has(item.kind) && !known.has(keyOf(item)));
  return [...differences, ...added.map((item): ShapeDifference => ({ state: 'added', item }))];
}
