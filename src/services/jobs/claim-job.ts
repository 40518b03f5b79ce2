import { sql } from 'drizzle-orm';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import type { RunKey } from './hold-run.ts';
import { isOfTheRow, passOver } from './pass-over.ts';
import { pausedOn } from './paused-on.ts';
import { type SeenJob, transitionJob } from './transition-job.ts';

/** Users that are passed over in one claim because nothing of theirs may start yet. */
const PASSED_OVER_MAX = 20;
/** Once may be a race that the other claimer won. */
const THROWN_MAX = 2;

interface Head extends SeenJob {
  attempt: number;
  slot: number;
}

/** A head of a queue that a claim threw at: what is to be told of it. */
export interface PassedOver {
  job_id: string;
  error: unknown;
  /** Whether its row could be told to wait, or to have failed: else it is passed over anew by every claim. */
  settled: boolean;
}

/** How a claim treats a job whose row makes it throw. */
export interface ClaimFaults {
  /** Before the job is tried again; it doubles with each restart. */
  pause_ms: number;
  tell(passed_over: PassedOver): void;
}

/**
 * Claims one job for a free device of this worker: first the user (fewest active, then longest not served), then that
 * user's head of the queue, without what was paused on another host. Slot, device lease, run row and the move to `initializing` are one transaction.
 * Null when no device is free, nothing may start, or the installation drains or has its quiet hours. A job whose own row makes that throw twice is passed over, told, and tried again
 * after a pause or failed (`passOver`): it keeps nobody else's from being claimed.
 */
export async function claimJob(
  worker_id: string,
  executor: string,
  lease_ms: number,
  faults: ClaimFaults = { pause_ms: 0, tell: () => undefined },
): Promise<RunKey | null> {
  const thrown = new Map<string, number>();
  for (;;) {
    const looked_at: { head: Head | null } = { head: null };
    const broken = [...thrown].flatMap(([id, times]) => (times >= THROWN_MAX ? [id] : []));
    try {
      return await asScheduler((tx) => claimHead(tx, { worker_id, executor, lease_ms, broken, looked_at }));
    } catch (error) {
      const { head } = looked_at;
      if (head === null || broken.length >= PASSED_OVER_MAX || !isOfTheRow(error)) throw error;
      const times = (thrown.get(head.id) ?? 0) + 1;
      thrown.set(head.id, times);
      if (times < THROWN_MAX) continue;
      faults.tell({ job_id: head.id, error, settled: await passOver(head, faults.pause_ms) });
    }
  }
}

interface Claim {
  worker_id: string;
  executor: string;
  lease_ms: number;
  /** Jobs that this claim does not look at any more. */
  broken: string[];
  /** Told before anything is written for it. */
  looked_at: { head: Head | null };
}

async function claimHead(tx: Tx, { worker_id, executor, lease_ms, broken, looked_at }: Claim): Promise<RunKey | null> {
  looked_at.head = null;
  const devices = await tx.execute<{ id: string }>(sql`
    SELECT d.id FROM lowrank.gpu_devices d
    WHERE d.worker_id = ${worker_id} AND d.quarantined_at IS NULL AND d.drained_at IS NULL AND d.foreign_processes = 0
      AND NOT EXISTS (SELECT FROM lowrank.gpu_leases l WHERE l.device_id = d.id AND l.released_at IS NULL)
      AND (SELECT lowrank.starts_held()) IS NULL
    ORDER BY d.name, d.uuid LIMIT 1 FOR UPDATE OF d SKIP LOCKED`);
  const device = devices.rows[0];
  if (device === undefined) return null;
  const head = await nextHead(tx, worker_id, broken);
  if (head === null) return null;
  looked_at.head = head;
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
}

async function nextHead(tx: Tx, worker_id: string, broken: string[]): Promise<Head | null> {
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
        AND (not_before IS NULL OR not_before <= clock_timestamp()) AND id <> ALL(${sql.param(broken)}::uuid[])
        AND (attempt = 0 OR coalesce(${pausedOn(sql`training_jobs`)} = ${worker_id}, true))
      ORDER BY priority DESC NULLS LAST, queued_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`);
    const head = heads.rows[0];
    if (head !== undefined && head.slot !== null) return { ...head, slot: head.slot };
    passed_over.push(user_id);
  }
  return null;
}
