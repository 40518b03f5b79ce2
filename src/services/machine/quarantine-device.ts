import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { gpuDevices, gpuLeases } from '#/db/schema/machine.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { UNDYING } from '#/domain/devices.ts';
import { lockHost } from './lock-host.ts';

/** No run is given this device until a worker that starts sees it well, or an administrator says so. False when that was so already. */
export function quarantineDevice(worker_id: string, uuid: string, reason: string): Promise<boolean> {
  return asScheduler(async (tx) => {
    const { rowCount } = await tx
      .update(gpuDevices)
      .set({ quarantined_at: sql`clock_timestamp()`, quarantine_reason: reason })
      .where(and(eq(gpuDevices.worker_id, worker_id), eq(gpuDevices.uuid, uuid), isNull(gpuDevices.quarantined_at)));
    return rowCount === 1;
  });
}

/** The devices of a run that does not die: whoever looks is told why nothing comes to them, until its lease ends. */
export function quarantineUndying(worker_id: string, run: { job_id: string; attempt: number }): Promise<void> {
  const { job_id, attempt } = run;
  return asScheduler(async (tx) => {
    await lockHost(tx, worker_id);
    // Locked: a lease that ends meanwhile takes the quarantine with it, or there is none.
    const leased = await tx
      .select({ id: gpuLeases.device_id })
      .from(gpuLeases)
      .where(and(eq(gpuLeases.job_id, job_id), eq(gpuLeases.attempt, attempt), isNull(gpuLeases.released_at)))
      .for('share');
    if (leased.length === 0) return;
    const ids = leased.map(({ id }) => id);
    await tx
      .update(gpuDevices)
      .set({ quarantined_at: sql`clock_timestamp()`, quarantine_reason: UNDYING })
      .where(and(inArray(gpuDevices.id, ids), isNull(gpuDevices.quarantined_at)));
  });
}

/** Gives devices back whose run is gone: what was in quarantine for its sake alone is trusted again. */
export async function releaseLease(tx: Tx, { job_id, attempt }: { job_id: string; attempt: number }): Promise<void> {
  const released = await tx
    .update(gpuLeases)
    .set({ released_at: sql`clock_timestamp()` })
    .where(and(eq(gpuLeases.job_id, job_id), eq(gpuLeases.attempt, attempt), isNull(gpuLeases.released_at)))
    .returning({ id: gpuLeases.device_id });
  if (released.length === 0) return;
  const ids = released.map(({ id }) => id);
  // A statement of its own: it sees a quarantine whose lock on the lease was waited for.
  await tx
    .update(gpuDevices)
    .set({ quarantined_at: null, quarantine_reason: null })
    .where(and(inArray(gpuDevices.id, ids), eq(gpuDevices.quarantine_reason, UNDYING)));
}
