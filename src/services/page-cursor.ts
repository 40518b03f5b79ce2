import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** A table whose lists run newest first. */
type Dated = PgTable & { id: PgColumn; created_at: PgColumn };

/**
 * What stands behind the row of a cursor in a list that runs newest first. The instant is compared in the database, which
 * keeps it finer than a date of ours. Throws `invalid_request` for a cursor of nothing that the caller may see.
 */
export async function behindCursor(tx: Tx, table: Dated, after: string | undefined): Promise<SQL | undefined> {
  if (after === undefined) return undefined;
  const known = await tx.execute(sql`SELECT 1 FROM ${table} WHERE ${table.id} = ${after}`);
  if (known.rowCount === 0) throw unknownCursor();
  // Two values, not one row of a subquery: only so can an index of both columns begin at the cursor.
  return sql`(${table.created_at}, ${table.id}) < ((SELECT c.created_at FROM ${table} c WHERE c.id = ${after}), ${after}::uuid)`;
}

/** The refusal of a cursor that no list of the caller's has given. */
export function unknownCursor(): AppError {
  const message = 'is no cursor of this list: start again without it';
  return new AppError('invalid_request', `after ${message}`, [{ path: 'after', message, code: 'unknown_cursor' }]);
}

/** The cursor that the next page takes: null when this one was not full. */
export function nextCursor(rows: { id: string }[], limit: number): string | null {
  return rows.length < limit ? null : (rows.at(-1)?.id ?? null);
}
