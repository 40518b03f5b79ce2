import { sql } from 'drizzle-orm';
import { asScheduler } from '#/db/tenancy.ts';
import type { UserWish } from '#/domain/run-exit.ts';
import { USER_WISH } from './hold-run.ts';

export interface Renewal {
  /** The runs that are still ours, and what their users wish of them. */
  kept: Map<string, { wish: UserWish | null }>;
  /** Jobs that the database says are ours and that nobody here looks after: a claim whose answer was lost. */
  unattended: string[];
}

/**
 * Says that the worker lives, with what is to be known of it, and renews the leases of its runs, each under its epoch,
 * by the database's clock.
 */
export function renewLeases(
  worker_id: string,
  held: { job_id: string; epoch: number }[],
  lease_ms: number,
  facts: Record<string, unknown> = {},
): Promise<Renewal> {
  const ids = held.map((run) => run.job_id);
  const epochs = held.map((run) => run.epoch);
  return asScheduler(async (tx) => {
    await tx.execute(sql`
      UPDATE lowrank.workers SET heartbeat_at = clock_timestamp(), stopped_at = NULL, facts = facts || ${JSON.stringify(facts)}::jsonb
      WHERE id = ${worker_id}`);
    const kept = await tx.execute<{ id: string; wish: UserWish | null }>(sql`
      UPDATE lowrank.training_jobs j
      SET lease_until = clock_timestamp() + ${lease_ms} * interval '1 ms', contact_lost_at = NULL
      FROM unnest(${sql.param(ids)}::uuid[], ${sql.param(epochs)}::integer[]) AS h(id, epoch)
      WHERE j.id = h.id AND j.epoch = h.epoch AND j.worker_id = ${worker_id} AND j.status IN ('initializing', 'running')
      RETURNING j.id, ${USER_WISH} AS wish`);
    const ours = await tx.execute<{ id: string }>(sql`
      SELECT id FROM lowrank.training_jobs WHERE worker_id = ${worker_id} AND status IN ('initializing', 'running')`);
    return {
      kept: new Map(kept.rows.map((row) => [row.id, { wish: row.wish }])),
      unattended: ours.rows.map((row) => row.id).filter((id) => !ids.includes(id)),
    };
  });
}
