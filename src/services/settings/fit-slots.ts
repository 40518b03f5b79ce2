import { sql } from 'drizzle-orm';
import { userQueues } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';

/**
 * Gives everybody, or one person, as many slots as their own limit says, or else the installation's. Slots above a lower limit stay:
 * a run may hold one still, and no claim takes them any more.
 */
export async function fitSlots(tx: Tx, active_jobs_per_user: number, user_id: string | null = null): Promise<void> {
  const whose = sql`(${user_id}::uuid IS NULL OR user_id = ${user_id}::uuid)`;
  const limit = sql`coalesce(${userQueues.own_active_max}, ${active_jobs_per_user}::integer)`;
  await tx.execute(sql`UPDATE ${userQueues} SET active_max = ${limit} WHERE ${whose} AND active_max <> ${limit}`);
  await tx.execute(sql`
    INSERT INTO lowrank.job_slots (user_id, slot) SELECT user_id, generate_series(1, active_max) FROM ${userQueues} WHERE ${whose}
    ON CONFLICT DO NOTHING`);
}
