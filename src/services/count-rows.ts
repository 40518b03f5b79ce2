import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Tx } from '#/db/tenancy.ts';
import { TOTAL_EXACT_MAX } from '#/domain/constants.ts';

/** How many rows of a list there are: exact up to ten thousand, beyond that what the database's statistics say. */
export interface Total {
  total: number;
  total_is_estimate: boolean;
}

/** Counts what a list selects, without reading a million rows to write one number. */
export async function countRows(tx: Tx, table: PgTable, wanted: SQL | undefined): Promise<Total> {
  const where = wanted === undefined ? sql`` : sql`WHERE ${wanted}`;
  const counted = await tx.execute<{ n: number }>(
    sql`SELECT count(*)::integer AS n FROM (SELECT 1 FROM ${table} ${where} LIMIT ${TOTAL_EXACT_MAX + 1}) AS counted`,
  );
  const total = counted.rows[0]?.n ?? 0;
  if (total <= TOTAL_EXACT_MAX) return { total, total_is_estimate: false };
  const plan = await tx.execute<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    sql`EXPLAIN (FORMAT JSON) SELECT 1 FROM ${table} ${where}`,
  );
  return { total: Math.max(total, plan.rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0), total_is_estimate: true };
}
