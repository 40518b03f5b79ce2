import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Tx } from '#/db/tenancy.ts';
import { TOTAL_EXACT_MAX } from '#/domain/constants.ts';

/** How many rows of a list there are: exact up to ten thousand, beyond that as it was counted within the last minute. */
export interface Total {
  total: number;
  total_is_estimate: boolean;
}

/** How long a count of more than ten thousand rows is told again. */
const KEPT_MS = 60_000;
const KEPT_MAX = 1_000;

interface Counted {
  at: number;
  total: Promise<number>;
}
const kept = new Map<string, Counted>();

/**
 * Counts what a list selects of somebody's rows, without reading a million of them for every page. What the planner would
 * guess is no answer: it is made of everybody's rows, and so tells of them.
 */
export async function countRows(tx: Tx, user_id: string, table: PgTable, wanted: SQL | undefined): Promise<Total> {
  const where = wanted === undefined ? sql`` : sql`WHERE ${wanted}`;
  const counted = await tx.execute<{ n: number }>(
    sql`SELECT count(*)::integer AS n FROM (SELECT 1 FROM ${table} ${where} LIMIT ${TOTAL_EXACT_MAX + 1}) AS counted`,
  );
  const total = counted.rows[0]?.n ?? 0;
  if (total <= TOTAL_EXACT_MAX) return { total, total_is_estimate: false };
  const asked = tx.select({ n: sql<number>`count(*)::integer` }).from(table).where(wanted);
  const { sql: text, params } = asked.toSQL();
  const all = await once(JSON.stringify([user_id, text, params]), () => asked.then((rows) => rows[0]?.n ?? 0));
  return { total: Math.max(total, all), total_is_estimate: true };
}

/** One count at a time of the same rows, and none while the last one is fresh. */
function once(key: string, count: () => Promise<number>): Promise<number> {
  const known = kept.get(key);
  if (known !== undefined && performance.now() - known.at < KEPT_MS) return known.total;
  const counting = { at: performance.now(), total: count() };
  counting.total.catch(() => {
    if (kept.get(key) === counting) kept.delete(key);
  });
  kept.delete(key);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(key, counting);
  return counting.total;
}
