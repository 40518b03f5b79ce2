/** The product's roles, played inside one transaction of a superuser, and what each may do with a table of its owner's rows. */
import type pg from 'pg';

export interface Tenants {
  a: string;
  b: string;
}

export type Role = 'lowrank_web' | 'lowrank_scheduler' | 'lowrank_identity' | 'lowrank_delivery';

export class Player {
  readonly client: pg.Client;
  constructor(client: pg.Client) {
    this.client = client;
  }

  /** Runs one statement as a role with claims, undone afterwards. Answers its rows and count, or the database's code. */
  async as(role: Role, claims: string | null, text: string, values: unknown[] = []) {
    await this.client.query('SAVEPOINT played');
    try {
      await this.client.query(`SET LOCAL ROLE ${role}`);
      await this.client.query("SELECT set_config('request.jwt.claims', $1, true)", [claims ?? '']);
      const result = await this.client.query<Record<string, unknown>>(text, values);
      return { rows: result.rows, count: result.rowCount ?? 0, code: null, message: '' };
    } catch (error) {
      return { rows: [], count: 0, code: (error as { code?: string }).code ?? 'unknown', message: (error as Error).message };
    } finally {
      await this.client.query('ROLLBACK TO SAVEPOINT played');
    }
  }

  async may(role: Role, table: string, privilege: string): Promise<boolean> {
    // Of some tables a login may read a few columns only.
    const asked = privilege === 'SELECT' ? 'has_any_column_privilege' : 'has_table_privilege';
    const result = await this.client.query<{ may: boolean }>(`SELECT ${asked}($1, $2, $3) AS may`, [role, table, privilege]);
    return result.rows[0]?.may === true;
  }

  async mayUpdate(role: Role, table: string): Promise<string | null> {
    const result = await this.client.query<{ name: string }>(
      `SELECT a.attname AS name FROM pg_attribute a WHERE a.attrelid = $2::regclass AND a.attnum > 0
       AND has_column_privilege($1, $2, a.attname, 'UPDATE') ORDER BY a.attname <> 'status', a.attnum LIMIT 1`,
      [role, table],
    );
    return result.rows[0]?.name ?? null;
  }
}

export const claimsOf = (user_id: string) => JSON.stringify({ sub: user_id, role: 'authenticated' });
const quoted = (name: string) => `"${name}"`;

/** A statement that inserts one given row as it stands. */
export const insertOf = (table: string) => `INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1)`;

/** Every way into one owned table, tried as each role: what of it stands open that should not, or is shut that should not be. */
export async function ownedTable(player: Player, table: string, { a, b }: Tenants): Promise<string[]> {
  const found: string[] = [];
  const rowOf = async (user_id: string) =>
    (
      await player.client.query<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE user_id = $1 LIMIT 1`, [
        user_id,
      ])
    ).rows[0]?.row;
  const ofB = await rowOf(b);
  if ((await rowOf(a)) === undefined || ofB === undefined)
    return [`${table}: the scene has no row of both tenants, so nothing is proved`];
  const look = `SELECT count(*) FILTER (WHERE user_id = '${a}') AS a, count(*) FILTER (WHERE user_id = '${b}') AS b FROM ${table}`;
  for (const role of ['lowrank_web', 'lowrank_scheduler', 'lowrank_identity', 'lowrank_delivery'] as const) {
    if (!(await player.may(role, table, 'SELECT'))) continue;
    const seen = await player.as(role, role === 'lowrank_web' ? claimsOf(a) : null, look);
    if (seen.code !== null) found.push(`${table}: ${role} cannot look (${seen.message})`);
    else if (Number(seen.rows[0]?.a) < 1) found.push(`${table}: ${role} does not see the rows that it must`);
    else if (role === 'lowrank_web' && Number(seen.rows[0]?.b) > 0) found.push(`${table}: a stranger sees rows`);
    else if (role !== 'lowrank_web' && Number(seen.rows[0]?.b) < 1) found.push(`${table}: ${role} does not see everybody's rows`);
  }
  for (const claims of [null, '{}', '{"sub":""}']) {
    if (!(await player.may('lowrank_web', table, 'SELECT'))) break;
    const seen = await player.as('lowrank_web', claims, `SELECT count(*) AS n FROM ${table}`);
    // Our auth.uid() takes an empty sub for nobody; Supabase's own refuses the whole statement.
    const refused = seen.code === '22P02' && claims === '{"sub":""}';
    if ((seen.code !== null && !refused) || Number(seen.rows[0]?.n) > 0)
      found.push(`${table}: without claims ${claims} rows or an error are seen`);
  }
  const column = await player.mayUpdate('lowrank_web', table);
  if (column !== null) {
    const changed = await player.as(
      'lowrank_web',
      claimsOf(a),
      `UPDATE ${table} SET ${quoted(column)} = ${quoted(column)} WHERE user_id = '${b}'`,
    );
    if (changed.count > 0) found.push(`${table}: a stranger changes rows`);
    const own = await player.as(
      'lowrank_web',
      claimsOf(a),
      `UPDATE ${table} SET ${quoted(column)} = ${quoted(column)} WHERE user_id = '${a}'`,
    );
    const triggers_alone = table === 'lowrank.user_queues';
    if (own.code !== null || own.count > 0 === triggers_alone)
      found.push(`${table}: an own row ${triggers_alone ? 'can' : 'cannot'} be changed (${own.message})`);
  }
  if (await player.may('lowrank_web', table, 'INSERT')) {
    const forged = await player.as('lowrank_web', claimsOf(a), insertOf(table), [JSON.stringify(ofB)]);
    if (!/row-level security|queued and nothing else/.test(forged.message))
      found.push(`${table}: a stranger's insert is not refused by policy (${forged.message})`);
    const copy = { ...(ofB as object), user_id: a, id: crypto.randomUUID(), seq: 9_999 };
    const own = await player.as('lowrank_web', claimsOf(a), insertOf(table), [JSON.stringify(copy)]);
    const refused = /row-level security/.test(own.message);
    if (refused !== (table === 'lowrank.job_events'))
      found.push(`${table}: an own insert is ${refused ? 'refused' : 'let in'} by policy`);
  }
  return found;
}
