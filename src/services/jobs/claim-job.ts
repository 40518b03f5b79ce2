import { sql } from 'drizzle-orm';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import type { RunKey } from './hold-run.ts';
import { type SeenJob, transitionJob } from './transition-job.ts';

/** Users that are passed over in one claim because nothing of theirs may start yet. */
const PASSED_OVER_MAX = 20;

interface Head extends SeenJob {
  attempt: number;
  slot: number;
}

/**
 * Claims one job for a free device of this worker: first the user (fewest active, then longest not served), then that
 * user's head of the queue. Slot, device lease, run row and the move to `initializing` are one transaction.
 * Null when no device is free or nothing may start.
 */
export function claimJob(worker_id: string, executor: string, lease_ms: number): Promise<RunKey | null> {
  return asScheduler(async (tx) => {
    const devices = await tx.execute<{ id: string }>(sql`
      SELECT d.id FROM lowrank.gpu_devices d
      WHERE d.worker_id = ${worker_id} AND d.quarantined_at IS NULL AND d.drained_at IS NULL
        AND NOT EXISTS (SELECT FROM lowrank.gpu_leases l WHERE l.device_id = d.id AND l.released_at IS NULL)
      ORDER BY d.name, d.uuid LIMIT 1 FOR UPDATE OF d SKIP LOCKED`);
    const device = devices.rows[0];
    if (device === undefined) return null;
    const head = await nextHead(tx);
    if (head === null) return null;
    const attempt = head.attempt + 1;
    await transitionJob(
      tx,
      head,
      { type: 'claimed' },
      {
        slot: head.slot,
        worker_id,
        executor,
        attempt,
        current_stage: 'starting',
        lease_until: sql`clock_timestamp() + ${lease_ms} * interval '1 ms'` as unknown as Date,
        not_before: null,
      },
    );
    // The trigger gives each claim the next epoch.
    const epoch = head.epoch + 1;
    await tx.execute(sql`
      WITH run AS (INSERT INTO lowrank.job_runs (job_id, user_id, attempt, epoch, worker_id, executor)
          VALUES (${head.id}, ${head.user_id}, ${attempt}, ${epoch}, ${worker_id}, ${executor})),
        lease AS (INSERT INTO lowrank.gpu_leases (device_id, user_id, job_id, attempt)
          VALUES (${device.id}, ${head.user_id}, ${head.id}, ${attempt}))
      UPDATE lowrank.user_queues SET last_claimed_at = clock_timestamp() WHERE user_id = ${head.user_id}`);
    return { job_id: head.id, attempt, epoch };
  });
}

async function nextHead(tx: Tx): Promise<Head | null> {
  const passed_over: string[] = [];
  while (passed_over.length < PASSED_OVER_MAX) {
    const users = await tx.execute<{ user_id: string; active_max: number }>(sql`
      SELECT user_id, active_max FROM lowrank.user_queues
      WHERE queued > 0 AND active < active_max AND leaving_at IS NULL AND user_id <> ALL(${sql.param(passed_over)}::uuid[])
      ORDER BY active, last_claimed_at NULLS FIRST LIMIT 1 FOR UPDATE SKIP LOCKED`);
    const user = users.rows[0];
    if (user === undefined) return null;
    const { user_id, active_max } = user;
    const heads = await tx.execute<Omit<Head, 'slot'> & { slot: number | null }>(sql`
      SELECT id, user_id, name, status, epoch, attempt,
        (SELECT s.slot FROM lowrank.job_slots s WHERE s.user_id = ${user_id} AND s.slot <= ${active_max} AND NOT EXISTS
          (SELECT FROM lowrank.training_jobs t WHERE t.user_id = s.user_id AND t.slot = s.slot) ORDER BY s.slot LIMIT 1) AS slot
      FROM lowrank.training_jobs
      WHERE user_id = ${user_id} AND status = 'queued' AND held_at IS NULL AND deleted_at IS NULL
        AND current_stage IS DISTINCT FROM 'fetching_model'
        AND (not_before IS NULL OR not_before <= clock_timestamp())
      ORDER BY priority DESC NULLS LAST, queued_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`);
    const head = heads.rows[0];
    if (head !== undefined && head.slot !== null) return { ...head, slot: head.slot };
    passed_over.push(user_id);
  }
  return null;
}
