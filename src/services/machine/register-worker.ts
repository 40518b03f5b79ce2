import { and, eq, isNull, notInArray, sql } from 'drizzle-orm';
import { jobRuns } from '#/db/schema/jobs.ts';
import { gpuDevices, gpuLeases, workers } from '#/db/schema/machine.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import type { MigPart } from '#/domain/devices.ts';
import type { ExecutorName } from '#/domain/executors.ts';
import { type DeviceLook, noteLooks } from './note-devices.ts';

export interface WorkerFacts {
  /** The host's own, kept in its data directory. */
  id: string;
  boot_id: string;
  pid: number;
  version: string;
  facts: Record<string, unknown>;
}

export interface DeviceFacts {
  kind: 'gpu' | 'cpu';
  uuid: string;
  name: string;
  memory_mb: number;
  /** The number that the host's own tools give it. */
  index?: number | null;
  mig?: MigPart | null;
}

/**
 * A worker begins: it and what it can give to runs, with what went on there at its look. A device that is seen again is trusted again;
 * one that is missing is not given out.
 */
export function registerWorker(worker: WorkerFacts, devices: DeviceFacts[], looks: DeviceLook[] = []): Promise<void> {
  return asScheduler(async (tx) => {
    const now = { started_at: sql`clock_timestamp()`, heartbeat_at: sql`clock_timestamp()`, stopped_at: null };
    await tx
      .insert(workers)
      .values({ ...worker, ...now })
      .onConflictDoUpdate({ target: workers.id, set: { ...worker, ...now } });
    for (const { mig, ...device } of devices) {
      const part = { mig_profile: mig?.profile ?? null, mig_card_uuid: mig?.card_uuid ?? null };
      const seen = { ...device, ...part, last_seen_at: sql`clock_timestamp()`, quarantined_at: null, quarantine_reason: null };
      await tx
        .insert(gpuDevices)
        .values({ worker_id: worker.id, ...seen })
        .onConflictDoUpdate({ target: [gpuDevices.worker_id, gpuDevices.uuid], set: seen });
    }
    await tx
      .update(gpuDevices)
      .set({ quarantined_at: sql`clock_timestamp()`, quarantine_reason: 'not seen when the worker started' })
      .where(
        and(
          eq(gpuDevices.worker_id, worker.id),
          isNull(gpuDevices.quarantined_at),
          notInArray(
            gpuDevices.uuid,
            devices.map((device) => device.uuid),
          ),
        ),
      );
    await followMachine(tx);
    // Nothing was claimed for this worker since it looked: whatever of ours still computes has its lease.
    if (looks.length > 0) await noteLooks(tx, worker.id, 'now', looks);
  });
}

/** Waiting jobs that named no device are for what the installation has: where that is of one kind alone, they are for that kind. */
async function followMachine(tx: Tx): Promise<void> {
  const kinds = await tx.selectDistinct({ kind: gpuDevices.kind }).from(gpuDevices).where(isNull(gpuDevices.quarantined_at));
  const [only, other] = kinds;
  if (only === undefined || other !== undefined) return;
  const [here, gone] = only.kind === 'gpu' ? ['Own-GPU', 'CPU'] : ['CPU', 'Own-GPU'];
  await tx.execute(sql`
    UPDATE lowrank.training_jobs SET gpu_config = jsonb_set(gpu_config, '{type}', to_jsonb(${here}::text))
    WHERE status = 'queued' AND gpu_config ->> 'type' = ${gone} AND config -> 'own_device' = 'true'`);
}

/** The worker ends in order: its runs go on, unwatched, and nobody fences them. */
export function noteWorkerStopped(worker_id: string): Promise<void> {
  return asScheduler(async (tx) => {
    await tx.update(workers).set({ stopped_at: sql`clock_timestamp()` }).where(eq(workers.id, worker_id));
  });
}

/** Attempts whose device this worker has not given back yet, and who has them. */
export function readOpenLeases(worker_id: string): Promise<{ executor: ExecutorName; job_id: string; attempt: number }[]> {
  return asScheduler((tx) =>
    tx
      .selectDistinct({ executor: sql<ExecutorName>`${jobRuns.executor}`, job_id: gpuLeases.job_id, attempt: gpuLeases.attempt })
      .from(gpuLeases)
      .innerJoin(jobRuns, and(eq(jobRuns.job_id, gpuLeases.job_id), eq(jobRuns.attempt, gpuLeases.attempt)))
      .innerJoin(gpuDevices, eq(gpuDevices.id, gpuLeases.device_id))
      .where(and(eq(gpuDevices.worker_id, worker_id), isNull(gpuLeases.released_at))),
  );
}
