import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Total } from '#/services/count-rows.ts';

/** A table whose lists run by age. */
type Dated = PgTable & { id: PgColumn; created_at: PgColumn };

/** Which page of a list. */
export interface PageQuery {
  limit: number;
  offset: number;
  /** The cursor of the page before; counts before `offset`. */
  after?: string | undefined;
}

/**
 * What stands behind the row of a cursor in a list that runs newest first, or `oldest` first. The instant is compared in the
 * database, which keeps it finer than a date of ours. `own` says whose rows are cursors, where no policy does. Throws
 * `invalid_request` for a cursor of nothing that the caller may see.
 */
export async function behindCursor(
  tx: Tx,
  table: Dated,
  after: string | undefined,
  { own, oldest = false }: { own?: SQL | undefined; oldest?: boolean } = {},
): Promise<SQL | undefined> {
  if (after === undefined) return undefined;
  const known = await tx.execute(sql`SELECT 1 FROM ${table} WHERE ${table.id} = ${after} AND ${own ?? sql`true`}`);
  if (known.rowCount === 0) throw unknownCursor();
  const behind = sql.raw(oldest ? '>' : '<');
  // Two values, not one row of a subquery: only so can an index of both columns begin at the cursor.
  return sql`(${table.created_at}, ${table.id}) ${behind} ((SELECT c.created_at FROM ${table} c WHERE c.id = ${after}), ${after}::uuid)`;
}

/** The refusal of a cursor that no list of the caller's has given. */
export function unknownCursor(): AppError {
  const message = 'is no cursor of this list: start again without it';
  return new AppError('invalid_request', `after ${message}`, [{ path: 'after', message, code: 'unknown_cursor' }]);
}

/** What a list tells of its page beside the rows. */
export interface Paged extends Total {
  /** Sent as `after` it gets the next page; null: there is none. */
  next_cursor: string | null;
}

/** How many rows a page is read with: one more than it shows says that there is another. */
export const oneMore = ({ limit }: { limit: number }): number => limit + 1;

/** How many rows a page leaves out at its beginning: none behind a cursor. */
export const skipped = ({ after, offset }: PageQuery): number => (after === undefined ? offset : 0);

/** A page of what was read with one row more, and the cursor that the next one takes: null when there is none. */
export function cutPage<T, C>(rows: T[], limit: number, cursorOf: (row: T) => C): { rows: T[]; next_cursor: C | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next_cursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
