import { sql } from 'drizzle-orm';
import type { Tx } from '#/db/tenancy.ts';
import { type DeviceNeed, type HostDevice, KEPT_FROM_COUNT, keepDevices } from '#/domain/allocation.ts';
import { deviceTypes } from '#/domain/device-types.ts';
import type { DEVICE_KINDS } from '#/domain/devices.ts';
import { readGpuCatalog } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import { lockHost } from '#/services/machine/lock-host.ts';

/** What is kept for a waiting job, here or on another host. */
export interface Reservation {
  worker_id: string;
  user_id: string;
  job_id: string;
  device_ids: string[];
  need: DeviceNeed;
  /** Nothing but devices keeps it from starting. */
  may_start: boolean;
  /** The host's worker was heard within the time of a lease. */
  answers: boolean;
}

/** A host as one claim sees it: nobody else claims for it meanwhile. */
export interface Host {
  worker_id: string;
  /** Those that take work. */
  devices: HostDevice[];
  /** Of all hosts, its own first. */
  reservations: Reservation[];
}

/** The host of a worker, under its lock; null where nothing of it is free, or the installation drains or has its quiet hours. */
export async function readHost(tx: Tx, worker_id: string, lease_ms: number): Promise<Host | null> {
  await lockHost(tx, worker_id);
  const { rows } = await tx.execute<Omit<HostDevice, 'types' | 'kept_for'> & { kind: (typeof DEVICE_KINDS)[number] }>(sql`
    SELECT d.id, d.uuid, d.kind, d.name, d.mig_profile IS NOT NULL AS is_part, d.foreign_processes > 0 AS occupied,
      l.id IS NOT NULL AS leased, extract(epoch FROM j.estimated_completion_at - clock_timestamp())::float8 AS end_in_s
    FROM lowrank.gpu_devices d
      LEFT JOIN lowrank.gpu_leases l ON l.device_id = d.id AND l.released_at IS NULL
      LEFT JOIN lowrank.training_jobs j ON j.id = l.job_id
    WHERE d.worker_id = ${worker_id} AND d.quarantined_at IS NULL AND d.drained_at IS NULL
      AND (SELECT lowrank.starts_held()) IS NULL
    ORDER BY d.uuid FOR NO KEY UPDATE OF d`);
  if (!rows.some(({ leased, occupied }) => !leased && !occupied)) return null;
  const reservations = await readReservations(tx, worker_id, lease_ms);
  const catalog = await readGpuCatalog(tx);
  const devices = rows.map(({ kind, ...row }) => ({
    ...row,
    types: deviceTypes({ kind, name: row.name }, catalog),
    kept_for: null,
  }));
  const host: Host = { worker_id, devices, reservations };
  await applyOwn(tx, host);
  return host;
}

async function readReservations(tx: Tx, worker_id: string, lease_ms: number): Promise<Reservation[]> {
  const { rows } = await tx.execute<Omit<Reservation, 'need'> & DeviceNeed & Record<string, unknown>>(sql`
    SELECT r.worker_id, r.user_id, r.job_id, r.device_ids, j.gpu_config ->> 'type' AS type, (j.gpu_config ->> 'count')::integer AS count,
      q.active < q.active_max AND q.leaving_at IS NULL AND (j.not_before IS NULL OR j.not_before <= clock_timestamp()) AS may_start,
      w.stopped_at IS NULL AND w.heartbeat_at > clock_timestamp() - ${lease_ms} * interval '1 ms' AS answers
    FROM lowrank.gpu_reservations r JOIN lowrank.training_jobs j ON j.id = r.job_id JOIN lowrank.user_queues q ON q.user_id = r.user_id
      JOIN lowrank.workers w ON w.id = r.worker_id
    ORDER BY r.worker_id = ${worker_id} DESC, r.reserved_at`);
  return rows.map(({ type, count, ...row }) => ({ ...row, need: { type, count } }));
}

/** Marks what is kept here; what could not start with it any more, or has lost one of its devices, is kept no longer. */
async function applyOwn(tx: Tx, host: Host): Promise<void> {
  const [own] = host.reservations;
  if (own === undefined || own.worker_id !== host.worker_id) return;
  const kept = host.devices.filter(({ id, occupied }) => !occupied && own.device_ids.includes(id));
  if (own.may_start && kept.length === own.device_ids.length) {
    for (const device of kept) device.kept_for = own.job_id;
    return;
  }
  host.reservations.shift();
  await tx.execute(sql`DELETE FROM lowrank.gpu_reservations WHERE worker_id = ${host.worker_id}`);
}

/**
 * Keeps devices of this host for a job that needs more than are free, once it has waited `after_ms`: for one job a host, and for a job
 * on one host that answers.
 */
export async function keepFor(
  tx: Tx,
  host: Host,
  job: { id: string; user_id: string; need: DeviceNeed; waited_ms: number },
  after_ms: number,
): Promise<void> {
  if (job.need.count < KEPT_FROM_COUNT || job.waited_ms < after_ms) return;
  const known = host.reservations.find(({ worker_id, job_id }) => worker_id === host.worker_id || job_id === job.id);
  if (known !== undefined && (known.worker_id === host.worker_id || known.answers)) return;
  const kept = keepDevices(host.devices, job.need);
  if (kept === null) return;
  if (known !== undefined) await tx.execute(sql`DELETE FROM lowrank.gpu_reservations WHERE job_id = ${job.id}`);
  const ids = kept.map(({ id }) => id);
  const { rowCount } = await tx.execute(sql`
    INSERT INTO lowrank.gpu_reservations (worker_id, user_id, job_id, device_ids)
    VALUES (${host.worker_id}, ${job.user_id}, ${job.id}, ${sql.param(ids)}::uuid[]) ON CONFLICT DO NOTHING`);
  if (rowCount === 1) for (const device of kept) device.kept_for = job.id;
}
