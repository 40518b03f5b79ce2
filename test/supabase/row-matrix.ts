/**
 * Every table × select, insert, update, delete × owner, stranger, anonymous, no claims, as PostgREST would ask: the role of the
 * token with its claims. For the worst day our schemas are exposed and everything in them granted: what is left are the policies.
 */
import type pg from 'pg';
import type { Tenants } from '../tenancy-player.ts';

type Operation = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
const OPERATIONS: Operation[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** Nobody's rows, which whoever reaches the schema may read: the installation's settings and the legal moves of a job. */
const READ_BY_ALL = new Set(['lowrank.settings', 'lowrank.job_transitions']);
/** An owner's own statement writes no event: the triggers do. */
const NOT_BY_STATEMENT = new Set(['lowrank.job_events INSERT']);

export interface Table {
  name: string;
  /** The column that says whose a row is; null where rows are nobody's. */
  owner: 'user_id' | 'created_by' | null;
  /** What a policy lets somebody with claims do. Read before anything is mutated. */
  allowed: Operation[];
}

/** The tables of both schemas, as the untouched catalogue has them. */
export async function readTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<{ name: string; owner: Table['owner']; allowed: Operation[] }>(`
    SELECT c.oid::regclass::text AS name,
      (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'created_by') AND NOT a.attisdropped
       ORDER BY a.attname DESC LIMIT 1)::text AS owner,
      ARRAY(SELECT DISTINCT operation FROM pg_policies p, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) operation
            WHERE p.schemaname = n.nspname AND p.tablename = c.relname AND p.permissive = 'PERMISSIVE'
              AND 'public' = ANY (p.roles) AND p.cmd IN ('ALL', operation)) AS allowed
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('lowrank', 'identity') AND c.relkind IN ('r', 'p') ORDER BY 1`);
  return rows;
}

/** Exposes both schemas and grants everything in them to the API's roles: inside a transaction that is rolled back. */
export async function exposeEverything(client: pg.Client): Promise<void> {
  for (const kind of ['USAGE ON SCHEMA lowrank, identity', 'ALL ON ALL TABLES IN SCHEMA lowrank, identity'])
    await client.query(`GRANT ${kind} TO anon, authenticated`);
}

interface Asker {
  name: string;
  role: 'anon' | 'authenticated';
  claims: string;
}
const person = (name: string, sub: string): Asker => ({
  name,
  role: 'authenticated',
  claims: JSON.stringify({ sub, role: 'authenticated', aud: 'authenticated' }),
});
const NOBODIES: Asker[] = [
  { name: 'anonymous', role: 'anon', claims: JSON.stringify({ role: 'anon', iss: 'supabase' }) },
  { name: 'without claims', role: 'authenticated', claims: '' },
  { name: 'without a subject', role: 'authenticated', claims: JSON.stringify({ role: 'authenticated' }) },
];

interface Answer {
  count: number;
  message: string | null;
}

async function ask(client: pg.Client, who: Asker, text: string, values: unknown[] = []): Promise<Answer> {
  await client.query('SAVEPOINT asked');
  try {
    await client.query(`SET LOCAL ROLE ${who.role}`);
    await client.query("SELECT set_config('request.jwt.claims', $1, true)", [who.claims]);
    return { count: (await client.query(text, values)).rowCount ?? 0, message: null };
  } catch (error) {
    return { count: 0, message: (error as Error).message };
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT asked');
  }
}

interface Statement {
  text: string;
  values: unknown[];
}

/** One statement an operation that is about A's rows: all of them, a copy of one, or a change of nothing but its time. */
async function statementsAbout(client: pg.Client, table: Table, a: string): Promise<Record<Operation, Statement> | null> {
  const mine = table.owner === null ? 'true' : `${table.owner} = '${a}'`;
  const found = await client.query<{ row: Record<string, unknown> }>(
    `SELECT to_jsonb(t) AS row FROM ${table.name} t WHERE ${mine} ORDER BY to_jsonb(t) ->> 'status' DESC LIMIT 1`,
  );
  const row = found.rows[0]?.row;
  if (row === undefined) return null;
  const copy = { ...row, ...('id' in row && typeof row.id === 'string' && { id: crypto.randomUUID() }) };
  const column = table.owner ?? Object.keys(row)[0];
  return {
    SELECT: { text: `SELECT FROM ${table.name} WHERE ${mine}`, values: [] },
    INSERT: {
      text: `INSERT INTO ${table.name} SELECT * FROM jsonb_populate_record(NULL::${table.name}, $1)`,
      values: [JSON.stringify(copy)],
    },
    UPDATE: { text: `UPDATE ${table.name} SET "${column}" = "${column}" WHERE ${mine}`, values: [] },
    DELETE: { text: `DELETE FROM ${table.name} WHERE ${mine}`, values: [] },
  };
}

const byPolicy = ({ message }: Answer) => message !== null && /row-level security/.test(message);
/** The guards of new and moved rows speak before the policies do. */
const byTrigger = ({ message }: Answer) => message !== null && /nothing else|only the scheduler|has cost nothing/.test(message);
/** It came as far as the row: done, or stopped by a key or a guard and not by a policy. */
const reached = (answer: Answer) => answer.count > 0 || (answer.message !== null && !byPolicy(answer));

/** What is wrong with one table; empty when every refusal and each of its positive twins holds. Leaves no trace. */
export async function findWrongs(client: pg.Client, table: Table, { a, b }: Tenants): Promise<string[]> {
  const statements = await statementsAbout(client, table, a);
  if (statements === null) return [`${table.name}: the scene has no row, so nothing is proved`];
  const wrongs: string[] = [];
  const askers = [person('owner', a), person('stranger', b), ...NOBODIES];
  for (const operation of OPERATIONS) {
    const { text, values } = statements[operation];
    for (const who of askers) {
      const answer = await ask(client, who, text, values);
      const owns =
        who.name === 'owner' && table.allowed.includes(operation) && !NOT_BY_STATEMENT.has(`${table.name} ${operation}`);
      const shares =
        operation === 'SELECT' && table.owner !== 'user_id' && who.name === 'stranger' && table.allowed.includes('SELECT');
      const read_by_all = operation === 'SELECT' && READ_BY_ALL.has(table.name);
      const may = owns || shares || read_by_all;
      const told = `${table.name}: ${operation} ${who.name} (${answer.count} rows, ${answer.message})`;
      if (may && !reached(answer)) wrongs.push(`${told} should be let in`);
      const kept_out = operation === 'INSERT' ? byPolicy(answer) || byTrigger(answer) : answer.count === 0;
      if (!may && !kept_out) wrongs.push(`${told} should be kept out`);
    }
  }
  if (table.owner !== null && table.allowed.includes('UPDATE')) {
    const given = await ask(
      client,
      person('owner', a),
      `UPDATE ${table.name} SET ${table.owner} = '${b}' WHERE ${table.owner} = '${a}'`,
    );
    if (given.count > 0) wrongs.push(`${table.name}: an owner gives rows away`);
  }
  return wrongs;
}
