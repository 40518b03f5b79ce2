import { and, eq, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import { gpuDevices, gpuLeases, workers } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { recordActivity } from '#/services/activities/record-activity.ts';
import type { Context } from '#/services/context.ts';
import { checkAdministrator, type DeviceRow, selectDevices } from './list-devices.ts';
import { lockHost } from './lock-host.ts';

/** What an administrator decides of a device. */
interface DeviceChanges {
  /** No run is given it any more; the one that it has goes on. */
  drained?: boolean | undefined;
  /** It is trusted again. */
  quarantined?: false | undefined;
}

/**
 * Changes what a device is given, from now on. Who takes it out of quarantine has that in their activities. Throws `forbidden`, `not_found`
 * and, for a device that cannot be trusted yet, `conflict`: a run has it still, or its host has not seen it since.
 */
export function changeDevice(ctx: Context, id: string, { drained, quarantined }: DeviceChanges): Promise<DeviceRow> {
  checkAdministrator(ctx);
  return asIdentity(async (tx) => {
    if (drained !== undefined) await drain(tx, drained, eq(gpuDevices.id, id));
    if (quarantined === false) await release(tx, ctx, id);
    const [device] = await selectDevices(tx).where(eq(gpuDevices.id, id));
    if (device === undefined) throw new AppError('not_found', 'There is no such device');
    return device;
  });
}

/** Drains all that a host has, or lets work come to it again, and says how many devices these are. Throws `forbidden` and `not_found`. */
export function drainWorker(ctx: Context, worker_id: string, drained: boolean): Promise<number> {
  checkAdministrator(ctx);
  return asIdentity(async (tx) => {
    // No claim gives away one while another is drained.
    await lockHost(tx, worker_id);
    const [worker] = await tx.select({ id: workers.id }).from(workers).where(eq(workers.id, worker_id));
    if (worker === undefined)
      throw new AppError('not_found', 'There is no such worker', [
        { path: 'worker_id', message: 'must be the worker_id of a device of GET /api/gpus', code: 'not_found' },
      ]);
    return drain(tx, drained, eq(gpuDevices.worker_id, worker_id));
  });
}

async function drain(tx: Tx, drained: boolean, which: SQL): Promise<number> {
  const drained_at = drained ? sql`coalesce(${gpuDevices.drained_at}, clock_timestamp())` : null;
  const { rowCount } = await tx.update(gpuDevices).set({ drained_at }).where(which);
  return rowCount ?? 0;
}

async function release(tx: Tx, ctx: Context, id: string): Promise<void> {
  const [device] = await tx
    .select({
      name: gpuDevices.name,
      uuid: gpuDevices.uuid,
      reason: gpuDevices.quarantine_reason,
      seen_since: sql<boolean>`${gpuDevices.last_seen_at} > ${gpuDevices.quarantined_at}`,
    })
    .from(gpuDevices)
    .where(and(eq(gpuDevices.id, id), isNotNull(gpuDevices.quarantined_at)))
    .for('update');
  if (device === undefined) return;
  if ((await tx.$count(gpuLeases, and(eq(gpuLeases.device_id, id), isNull(gpuLeases.released_at)))) > 0)
    throw stays('a run has it still: end the processes of that run, or restart the host');
  if (!device.seen_since)
    throw stays('its host has not listed it since: see to it that nvidia-smi does there, and try again after half a minute');
  await tx.update(gpuDevices).set({ quarantined_at: null, quarantine_reason: null }).where(eq(gpuDevices.id, id));
  await recordActivity(tx, {
    user_id: ctx.user_id,
    event_type: 'device_released',
    entity_type: 'device',
    entity_id: id,
    message: `${device.name} (${device.uuid}), which was in quarantine: ${device.reason}`,
    status: 'free',
  });
}

const stays = (why: string): AppError => new AppError('conflict', `This device stays in quarantine: ${why}`);
