import { quarantineDevice } from '#/services/machine/register-worker.ts';
import { type Device, listGpus } from './detect-devices.ts';
import type { Supervisor } from './supervisor.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Looks at the GPUs that the host had at the start; one that is missing at two looks in a row is lost, and its run with it. */
export function gpuWatch(parts: WorkerParts, devices: Device[], held: Map<string, Supervisor>): () => Promise<void> {
  const gpus = devices.filter((device) => device.kind === 'gpu');
  const missed = new Set<string>();
  const lost = new Set<string>();
  return async () => {
    if (gpus.length === 0) return;
    const list = await listGpus();
    for (const { uuid } of gpus) {
      if (lost.has(uuid)) continue;
      if (list.ok && list.gpus.some((gpu) => gpu.uuid === uuid)) missed.delete(uuid);
      else if (!missed.has(uuid)) missed.add(uuid);
      else {
        const reason = list.ok ? 'nvidia-smi does not list it any more' : list.reason;
        parts.log.error({ uuid, reason }, 'a GPU is lost');
        await quarantineDevice(parts.worker_id, uuid, reason);
        lost.add(uuid);
        for (const supervisor of held.values()) if (supervisor.device_uuids.includes(uuid)) supervisor.wish('gpu_lost');
      }
    }
  };
}
