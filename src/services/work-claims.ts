import { and, eq, getTableName, type SQL, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import type { baseModels } from '#/db/schema/base-models.ts';
import type { datasets } from '#/db/schema/datasets.ts';
import type { trainingImages } from '#/db/schema/training-images.ts';
import type { transfers } from '#/db/schema/transfers.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** Rows that wait for a worker until one has worked on them. */
type Work = typeof datasets | typeof baseModels | typeof transfers | typeof trainingImages;

/** A claim on a row that was taken so often without an end has ended its worker each time. */
export const CLAIM_ATTEMPTS_MAX = 3;

/**
 * How workers take the rows of `table` of which `is_work` holds: each claim gets the row's next number and is believed for
 * `lease_s` seconds, by the database's clock, unless it is renewed. Who holds an older number writes nothing. Of what one
 * `owner` (a column) has, one row is worked on at a time, and owners take turns: who has had none for longest is next, however
 * much others have that waits. `of_kind` tells rows apart that are other work in the same table, and have turns of their own.
 */
export function workClaims<T extends Work>(
  table: T,
  is_work: SQL,
  lease_s: number,
  owner: 'user_id' | 'created_by',
  of_kind: SQL = sql`true`,
) {
  type Row = T['$inferSelect'];
  const column = sql.identifier(owner);
  const lease = sql`clock_timestamp() + make_interval(secs => ${lease_s})`;
  /** Columns that every such table has: the compiler cannot tell for a table that it does not know. */
  const own = (columns: object) => columns as PgUpdateSetSource<T>;

  /** Writes under a claim. Throws `fenced` when the row is somebody else's, was asked for anew or is no work any more. */
  const write = async (tx: Tx, row: Row, columns: PgUpdateSetSource<T>): Promise<void> => {
    const held = and(eq(table.id, row.id), eq(table.claim, row.claim), is_work);
    const written = await tx.update(table).set(columns).where(held).returning({ id: table.id });
    if (written.length === 0) throw new AppError('fenced', `${row.id} is no longer held under claim ${row.claim}`);
  };

  return {
    write,

    /** Takes the oldest row, that waits or whose holder went silent, of the owner whose turn it is; null when there is none. */
    async take(tx: Tx): Promise<Row | null> {
      // Claims of a kind take turns, or two at once would each find the owner's other row free.
      await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${getTableName(table)}, 0))`);
      // One list of who holds a row: looked up for each row that waits, the longest queue would slow everybody's claims.
      const waits = sql`(SELECT id FROM ${table} WHERE ${is_work}
        AND (lease_until IS NULL OR lease_until < clock_timestamp())
        AND coalesce(${column} NOT IN (SELECT held.${column} FROM ${table} AS held
          WHERE held.lease_until > clock_timestamp() AND held.${column} IS NOT NULL AND ${is_work}), true)
        ORDER BY (SELECT max(turn.claimed_at) FROM ${table} AS turn WHERE turn.${column} = ${table}.${column} AND ${of_kind})
          NULLS FIRST, created_at LIMIT 1 FOR UPDATE SKIP LOCKED)`;
      const taken = own({
        lease_until: lease,
        claimed_at: sql`clock_timestamp()`,
        claim: sql`claim + 1`,
        attempts: sql`attempts + 1`,
      });
      const rows: unknown = await tx.update(table).set(taken).where(eq(table.id, waits)).returning();
      return (rows as Row[])[0] ?? null;
    },

    /** Keeps the claim, and notes how far the work is. Throws `fenced`. */
    keep: (tx: Tx, row: Row, columns?: PgUpdateSetSource<T>): Promise<void> =>
      write(tx, row, own({ lease_until: lease, ...columns })),

    /** The same in a transaction of its own. */
    renew: (row: Row): Promise<void> => asScheduler((tx) => write(tx, row, own({ lease_until: lease }))),

    /** Gives the claim back unused, for a worker that stops. Throws `fenced`. */
    release: (row: Row): Promise<void> =>
      asScheduler((tx) => write(tx, row, own({ lease_until: null, attempts: Math.max(0, row.attempts - 1) }))),
  };
}
