import { asc, isNull } from 'drizzle-orm';
import { gpuDevices } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';
import type { OwnDevice } from '#/domain/own-devices.ts';

const DEVICES_MAX = 1000;

/** What this installation has to train on, for everybody who asks what a training would take on it. */
export function ownDevices(tx: Tx): Promise<OwnDevice[]> {
  return tx
    .select({ kind: gpuDevices.kind, name: gpuDevices.name, memory_mb: gpuDevices.memory_mb })
    .from(gpuDevices)
    .where(isNull(gpuDevices.quarantined_at))
    .orderBy(asc(gpuDevices.memory_mb))
    .limit(DEVICES_MAX);
}
