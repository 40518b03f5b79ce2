import { sql } from 'drizzle-orm';
import { asScheduler } from '#/db/tenancy.ts';
import { ACTIVITIES_KEPT } from '#/domain/row-caps.ts';

/** Has the oldest of a feed fall away that is longer than one may be. Answers how many activities those were. */
export function pruneActivities(): Promise<number> {
  return asScheduler(async (tx) => {
    const gone = await tx.execute(sql`DELETE FROM lowrank.activities a USING lowrank.user_queues q, LATERAL (
        SELECT created_at, id FROM lowrank.activities WHERE user_id = q.user_id
        ORDER BY created_at DESC, id DESC OFFSET ${ACTIVITIES_KEPT} LIMIT 1) last
      WHERE a.user_id = q.user_id AND (a.created_at, a.id) <= (last.created_at, last.id)`);
    return gone.rowCount ?? 0;
  });
}
