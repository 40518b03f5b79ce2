import { sql } from 'drizzle-orm';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { lockHost } from './lock-host.ts';

/** What goes on on a device right now, as its driver tells it. */
export interface DeviceLook {
  uuid: string;
  /** MiB */
  memory_used_mb: number | null;
  utilization_percent: number | null;
  /** That compute on it, ours too; null where the driver does not say. */
  processes: number | null;
  /** Told of the card alone whose part the device is: any of its parts may be meant. */
  by_card: boolean;
}

/** The database's clock before a look at the devices: what is leased later was looked at too early to be judged by it. */
export async function beginLook(): Promise<string> {
  const { rows } = await asScheduler((tx) => tx.execute<{ now: string }>(sql`SELECT clock_timestamp()::text AS now`));
  const [row] = rows;
  if (row === undefined) throw new Error('the database told no time');
  return row.now;
}

/** Keeps what a look that began at `since` told of this worker's devices. */
export function noteDevices(worker_id: string, since: string, looks: DeviceLook[]): Promise<void> {
  return asScheduler((tx) => noteLooks(tx, worker_id, since, looks));
}

/**
 * The same in the caller's transaction. What computes on a device while no run of ours has had it since the look began is not ours:
 * it holds memory that no run could have, and none is given the device before a later look finds it alone.
 */
export async function noteLooks(tx: Tx, worker_id: string, since: string, looks: DeviceLook[]): Promise<void> {
  await lockHost(tx, worker_id);
  await tx.execute(sql`
    UPDATE lowrank.gpu_devices d
    SET last_seen_at = clock_timestamp(), memory_used_mb = n.memory_used_mb, utilization_percent = n.utilization_percent,
      foreign_processes = CASE WHEN n.processes IS NULL OR EXISTS (
          SELECT FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices o ON o.id = l.device_id
          WHERE (o.id = d.id OR (n.by_card AND o.worker_id = d.worker_id AND o.mig_card_uuid = d.mig_card_uuid))
            AND (l.released_at IS NULL OR l.released_at > ${since}::timestamptz))
        THEN d.foreign_processes ELSE n.processes END
    FROM jsonb_to_recordset(${JSON.stringify(looks)}::jsonb)
      AS n(uuid text, memory_used_mb integer, utilization_percent integer, processes integer, by_card boolean)
    WHERE d.worker_id = ${worker_id} AND d.uuid = n.uuid`);
}
