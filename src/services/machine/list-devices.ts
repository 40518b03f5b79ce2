import { asc, eq, type SQL, sql } from 'drizzle-orm';
import { gpuDevices, workers } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { DeviceState } from '#/domain/devices.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { cutPage, oneMore, type Paged, type PageQuery, skipped, unknownCursor } from '#/services/page-cursor.ts';

/** A device as administrators see it: that somebody's run has it, never whose. */
export type DeviceRow = Awaited<ReturnType<typeof selectDevices>>[number];

/** Devices with what they do, in a caller's transaction. */
export function selectDevices(tx: Tx) {
  return tx
    .select({
      id: gpuDevices.id,
      worker_id: gpuDevices.worker_id,
      host: sql<string | null>`${workers.facts} ->> 'host'`,
      worker_silent_s: sql<number>`greatest(0, extract(epoch FROM clock_timestamp() - ${workers.heartbeat_at}))::float8`,
      worker_stopped: sql<boolean>`${workers.stopped_at} IS NOT NULL`,
      kind: gpuDevices.kind,
      uuid: gpuDevices.uuid,
      name: gpuDevices.name,
      memory_mb: gpuDevices.memory_mb,
      index: gpuDevices.index,
      mig_profile: gpuDevices.mig_profile,
      mig_card_uuid: gpuDevices.mig_card_uuid,
      memory_used_mb: gpuDevices.memory_used_mb,
      utilization_percent: gpuDevices.utilization_percent,
      foreign_processes: gpuDevices.foreign_processes,
      state: sql<DeviceState>`lowrank.device_state(gpu_devices)`,
      drained_at: gpuDevices.drained_at,
      quarantined_at: gpuDevices.quarantined_at,
      quarantine_reason: gpuDevices.quarantine_reason,
      last_seen_at: gpuDevices.last_seen_at,
    })
    .from(gpuDevices)
    .innerJoin(workers, eq(workers.id, gpuDevices.worker_id))
    .$dynamic();
}

/** Throws `forbidden` for everybody but administrators. */
export function checkAdministrator(ctx: Context): void {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see and change the devices');
}

/** One page of every worker's devices, a worker's together. Throws `forbidden` and `invalid_request` (cursor). */
export function listDevices(ctx: Context, page: PageQuery): Promise<Paged & { devices: DeviceRow[] }> {
  checkAdministrator(ctx);
  return asIdentity(async (tx) => {
    const rows = await selectDevices(tx)
      .where(await behindDevice(tx, page.after))
      .orderBy(asc(gpuDevices.worker_id), asc(gpuDevices.name), asc(gpuDevices.uuid))
      .limit(oneMore(page))
      .offset(skipped(page));
    const { rows: devices, next_cursor } = cutPage(rows, page.limit, ({ id }) => id);
    return { devices, ...(await countRows(tx, ctx.user_id, gpuDevices, undefined)), next_cursor };
  });
}

async function behindDevice(tx: Tx, after: string | undefined): Promise<SQL | undefined> {
  if (after === undefined) return undefined;
  const { worker_id, name, uuid } = gpuDevices;
  const [known] = await tx.select({ worker_id, name, uuid }).from(gpuDevices).where(eq(gpuDevices.id, after));
  if (known === undefined) throw unknownCursor();
  return sql`(${worker_id}, ${name}, ${uuid}) > (${known.worker_id}, ${known.name}, ${known.uuid})`;
}
