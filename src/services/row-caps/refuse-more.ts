import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type CappedThing, ROW_CAPS } from '#/domain/row-caps.ts';

/**
 * Throws `limit_reached` where a person has as many of a thing as one may have: `theirs` selects them of `table`. To be called before
 * another is written, in the same transaction, so that two at once do not both find room.
 */
export async function refuseMore(tx: Tx, user_id: string, thing: CappedThing, table: PgTable, theirs: SQL): Promise<void> {
  const { max, way_out } = ROW_CAPS[thing];
  // A statement of its own: the count must look after whoever held the lock.
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${thing} of ${user_id}`}, 0))`);
  if ((await tx.$count(table, theirs)) < max) return;
  throw new AppError('limit_reached', `You have ${max} ${thing}, the most that a person may have: ${way_out}`);
}
