import { and, asc, count, eq, isNull, sql } from 'drizzle-orm';
import { gpuDevices, gpuLeases, workers } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { DeviceState } from '#/domain/devices.ts';
import type { Context } from '#/services/context.ts';

/** A device as administrators see it: that somebody's run has it, never whose. */
export type DeviceRow = Awaited<ReturnType<typeof selectDevices>>[number];

function selectDevices(tx: Tx) {
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
      state: sql<DeviceState>`CASE WHEN ${gpuDevices.quarantined_at} IS NOT NULL THEN 'quarantined' WHEN ${gpuLeases.id} IS NOT NULL THEN 'leased'
        WHEN ${gpuDevices.drained_at} IS NOT NULL THEN 'drained' ELSE 'free' END`,
      drained_at: gpuDevices.drained_at,
      quarantined_at: gpuDevices.quarantined_at,
      quarantine_reason: gpuDevices.quarantine_reason,
      last_seen_at: gpuDevices.last_seen_at,
    })
    .from(gpuDevices)
    .innerJoin(workers, eq(workers.id, gpuDevices.worker_id))
    .leftJoin(gpuLeases, and(eq(gpuLeases.device_id, gpuDevices.id), isNull(gpuLeases.released_at)))
    .$dynamic();
}

function checkAdministrator(ctx: Context): void {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see and drain the devices');
}

/** One page of every worker's devices, a worker's together. Throws `forbidden`. */
export function listDevices(
  ctx: Context,
  page: { limit: number; offset: number },
): Promise<{ devices: DeviceRow[]; total: number }> {
  checkAdministrator(ctx);
  return asIdentity(async (tx) => {
    const devices = await selectDevices(tx)
      .orderBy(asc(gpuDevices.worker_id), asc(gpuDevices.name), asc(gpuDevices.uuid))
      .limit(page.limit)
      .offset(page.offset);
    const [counted] = await tx.select({ total: count() }).from(gpuDevices);
    return { devices, total: counted?.total ?? 0 };
  });
}

/** Gives a device no run any more, or again; the one that it has goes on. Throws `forbidden` and `not_found`. */
export function drainDevice(ctx: Context, id: string, drained: boolean): Promise<DeviceRow> {
  checkAdministrator(ctx);
  return asIdentity(async (tx) => {
    const drained_at = drained ? sql`coalesce(${gpuDevices.drained_at}, clock_timestamp())` : null;
    await tx.update(gpuDevices).set({ drained_at }).where(eq(gpuDevices.id, id));
    const [device] = await selectDevices(tx).where(eq(gpuDevices.id, id));
    if (device === undefined) throw new AppError('not_found', 'There is no such device');
    return device;
  });
}
