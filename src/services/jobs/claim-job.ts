import { type SQL, sql } from 'drizzle-orm';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { type DeviceNeed, type HostDevice, pickDevices, possibleNeeds } from '#/domain/allocation.ts';
import { PROMISE_TIMES } from '#/domain/constants.ts';
import type { RunKey } from './hold-run.ts';
import { type Host, keepFor, readHost } from './host-devices.ts';
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
  need: DeviceNeed;
  waited_ms: number;
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
 * Claims one job for free devices of this worker: first the user (fewest active, then longest not served), then that user's head of the
 * queue, of what this host's devices can do at all and without what was paused on another host. As many devices as it needs or none, its
 * slot, its run row and the move to `initializing` are one transaction. A head that needs more than are free has some kept for it after
 * `keep_after_ms`; others pass it with what is left.
 * Null when no device is free, nothing may start, or the installation drains or has its quiet hours. A job whose own row makes that throw twice is passed over, told, and tried again
 * after a pause or failed (`passOver`): it keeps nobody else's from being claimed.
 */
export async function claimJob(
  worker_id: string,
  executor: string,
  lease_ms: number,
  faults: ClaimFaults = { pause_ms: 0, tell: () => undefined },
  keep_after_ms: number = PROMISE_TIMES.kept_after_ms,
): Promise<RunKey | null> {
  const thrown = new Map<string, number>();
  for (;;) {
    const looked_at: { head: Head | null } = { head: null };
    const broken = [...thrown].flatMap(([id, times]) => (times >= THROWN_MAX ? [id] : []));
    try {
      return await asScheduler((tx) => claimHead(tx, { worker_id, executor, lease_ms, keep_after_ms, broken, looked_at }));
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
  keep_after_ms: number;
  /** Jobs that this claim does not look at any more. */
  broken: string[];
  /** Told before anything is written for it. */
  looked_at: { head: Head | null };
}

async function claimHead(tx: Tx, claim: Claim): Promise<RunKey | null> {
  const { worker_id, executor, lease_ms, looked_at } = claim;
  looked_at.head = null;
  const host = await readHost(tx, worker_id, lease_ms);
  if (host === null) return null;
  const found = (await findReserved(tx, host, claim)) ?? (await findHead(tx, host, claim));
  if (found === null) return null;
  const { head, devices } = found;
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
  const ids = devices.map(({ id }) => id);
  await tx.execute(sql`
    WITH run AS (INSERT INTO lowrank.job_runs (job_id, user_id, attempt, epoch, worker_id, executor)
        VALUES (${head.id}, ${head.user_id}, ${attempt}, ${epoch}, ${worker_id}, ${executor})),
      lease AS (INSERT INTO lowrank.gpu_leases (device_id, user_id, job_id, attempt)
        SELECT id, ${head.user_id}, ${head.id}, ${attempt} FROM unnest(${sql.param(ids)}::uuid[]) AS id)
    UPDATE lowrank.user_queues SET last_claimed_at = clock_timestamp() WHERE user_id = ${head.user_id}`);
  return { job_id: head.id, attempt, epoch };
}

interface Found {
  head: Head;
  devices: HostDevice[];
}

/** A job that devices are kept for, here or elsewhere, as soon as this host has enough for it. */
async function findReserved(tx: Tx, host: Host, { broken }: Claim): Promise<Found | null> {
  for (const { job_id, user_id, need, may_start } of host.reservations) {
    const devices = pickDevices(host.devices, need, job_id);
    if (!may_start || devices === null || broken.includes(job_id)) continue;
    const users = await tx.execute<QueuedUser>(sql`
      SELECT user_id, active, active_max FROM lowrank.user_queues WHERE user_id = ${user_id} FOR UPDATE SKIP LOCKED`);
    const [user] = users.rows;
    const head = user === undefined ? null : await headOf(tx, user, host.worker_id, [need], sql`j.id = ${job_id}`);
    if (head !== null) return { head, devices };
  }
  return null;
}

/**
 * Whose turn it is of those for whom this host has devices at all, and their first job for it. Where too few are free for that one, some
 * may be kept for it, and whoever comes next with what is left goes before it.
 */
async function findHead(tx: Tx, host: Host, { broken, keep_after_ms, looked_at }: Claim): Promise<Found | null> {
  const possible = possibleNeeds(host.devices);
  const first = await nextHead(tx, host.worker_id, possible, broken);
  if (first === null) return null;
  const devices = pickDevices(host.devices, first.need, first.id);
  if (devices !== null) return { head: first, devices };
  looked_at.head = first;
  await keepFor(tx, host, first, keep_after_ms);
  const fitting = possible.filter((need) => pickDevices(host.devices, need, null) !== null);
  const head = fitting.length === 0 ? null : await nextHead(tx, host.worker_id, fitting, broken);
  const left = head === null ? null : pickDevices(host.devices, head.need, head.id);
  return head === null || left === null ? null : { head, devices: left };
}

/** A user of the queue whose row is locked. */
interface QueuedUser extends Record<string, unknown> {
  user_id: string;
  active: number;
  active_max: number;
}

const IN_LINE = sql`j.priority DESC NULLS LAST, j.queued_at, j.id`;
/** As the index `training_jobs_queue_by_need` has it. */
const NEED = sql`((j.gpu_config ->> 'count') || ' ' || (j.gpu_config ->> 'type'))`;
const BY_NEED = sql`ORDER BY ${NEED}, ${IN_LINE}`;

/** These needs as rows `n`: the first job of each is one look into an index, however many wait before it that need something else. */
const rowsOf = (needs: DeviceNeed[]): SQL =>
  sql`unnest(${sql.param(needs.map(({ type, count }) => `${count} ${type}`))}::text[]) AS n (need)`;

/**
 * That `j` has the need `n` and may be claimed by this worker. Said as a range: of an equality the planner believes that every row may have
 * it, and of one by `->>`, which is not leakproof, it knows no order under row-level security: it would read the whole queue for what
 * nobody asked for. Of a range, ordered by what it is of, only the index by need comes into question.
 */
const mayStart = (worker_id: string, only: SQL): SQL => sql`
  j.status = 'queued' AND j.held_at IS NULL AND j.deleted_at IS NULL AND j.current_stage IS DISTINCT FROM 'fetching_model'
  AND ${NEED} >= n.need AND ${NEED} <= n.need
  AND (j.not_before IS NULL OR j.not_before <= clock_timestamp()) AND ${only}
  AND (j.attempt = 0 OR coalesce(${pausedOn(sql`j`)} = ${worker_id}, true))`;

/** The head of the queue of the user whose turn it is, among jobs of these needs. Of a slot that is kept for a job nothing else is given. */
async function nextHead(tx: Tx, worker_id: string, needs: DeviceNeed[], broken: string[]): Promise<Head | null> {
  const only = sql`j.id <> ALL(${sql.param(broken)}::uuid[])`;
  const passed_over: string[] = [];
  while (passed_over.length < PASSED_OVER_MAX) {
    // A subquery that is a value is looked up a user; as EXISTS it would be joined to everybody's jobs.
    const users = await tx.execute<QueuedUser>(sql`
      SELECT q.user_id, q.active, q.active_max FROM lowrank.user_queues q
      WHERE q.queued > 0 AND q.active < q.active_max AND q.leaving_at IS NULL AND q.user_id <> ALL(${sql.param(passed_over)}::uuid[])
        AND (SELECT true FROM ${rowsOf(needs)} CROSS JOIN LATERAL
          (SELECT FROM lowrank.training_jobs j WHERE j.user_id = q.user_id AND ${mayStart(worker_id, only)} ${BY_NEED} LIMIT 1) j LIMIT 1)
        AND q.active + (SELECT count(*) FROM lowrank.gpu_reservations r WHERE r.user_id = q.user_id) < q.active_max
      ORDER BY q.active, q.last_claimed_at NULLS FIRST LIMIT 1 FOR UPDATE OF q SKIP LOCKED`);
    const user = users.rows[0];
    if (user === undefined) return null;
    const head = await headOf(tx, user, worker_id, needs, only);
    if (head !== null) return head;
    passed_over.push(user.user_id);
  }
  return null;
}

/** A user's first job of these needs, locked; null where there is none any more, or no slot for it. */
async function headOf(tx: Tx, user: QueuedUser, worker_id: string, needs: DeviceNeed[], only: SQL): Promise<Head | null> {
  const { user_id, active, active_max } = user;
  type Row = Omit<Head, 'slot' | 'need'> & DeviceNeed & { slot: number | null; kept: number };
  const { rows } = await tx.execute<Row & Record<string, unknown>>(sql`
    SELECT j.id, j.user_id, j.name, j.status, j.epoch, j.attempt, j.gpu_config ->> 'type' AS type, (j.gpu_config ->> 'count')::integer AS count,
      (extract(epoch FROM clock_timestamp() - j.queued_at) * 1000)::float8 AS waited_ms,
      (SELECT count(*)::integer FROM lowrank.gpu_reservations r WHERE r.user_id = ${user_id} AND r.job_id <> j.id) AS kept,
      (SELECT s.slot FROM lowrank.job_slots s WHERE s.user_id = ${user_id} AND s.slot <= ${active_max} AND NOT EXISTS
        (SELECT FROM lowrank.training_jobs t WHERE t.user_id = s.user_id AND t.slot = s.slot) ORDER BY s.slot LIMIT 1) AS slot
    FROM ${rowsOf(needs)} CROSS JOIN LATERAL
      (SELECT j.id, j.user_id, j.name, j.status, j.epoch, j.attempt, j.priority, j.queued_at, j.gpu_config FROM lowrank.training_jobs j
        WHERE j.user_id = ${user_id} AND ${mayStart(worker_id, only)} ${BY_NEED} LIMIT 1 FOR UPDATE OF j SKIP LOCKED) j
    ORDER BY ${IN_LINE} LIMIT 1`);
  const [row] = rows;
  if (row === undefined || row.slot === null || active + row.kept >= active_max) return null;
  const { type, count, kept: _, slot, ...head } = row;
  return { ...head, slot, need: { type, count } };
}
