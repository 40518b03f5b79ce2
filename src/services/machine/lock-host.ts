import { sql } from 'drizzle-orm';
import type { Tx } from '#/db/tenancy.ts';

/**
 * Whoever claims for a host, or writes several of its devices, takes turns: what one has seen free, nobody else gives away. Lasts until
 * the transaction ends.
 */
export const lockHost = (tx: Tx, worker_id: string): Promise<unknown> =>
  tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`devices of ${worker_id}`}, 0))`);
