import { beginLook, noteDevices } from '#/services/machine/note-devices.ts';
import { quarantineDevice } from '#/services/machine/quarantine-device.ts';
import { type Device, type GpuList, listGpus } from './detect-devices.ts';
import type { Supervisor } from './supervisor.ts';
import type { WorkerParts } from './worker-parts.ts';

export interface GpuWatch {
  /** Looks at the GPUs that the host had at the start; one that is missing at two of these looks in a row is lost, and its run with it. */
  patrol(): Promise<void>;
  /** Looks at who computes on them, and keeps it: before the next run is given one that has just come free. */
  look(): Promise<void>;
}

export function gpuWatch(parts: WorkerParts, devices: Device[], held: Map<string, Supervisor>): GpuWatch {
  const gpus = devices.filter((device) => device.kind === 'gpu');
  const missed = new Set<string>();
  const look = async (): Promise<GpuList> => {
    const since = await beginLook();
    const list = await listGpus();
    if (list.ok) await noteDevices(parts.worker_id, since, list.looks);
    return list;
  };
  return {
    async look() {
      if (gpus.length > 0) await look();
    },
    async patrol() {
      if (gpus.length === 0) return;
      const list = await look();
      for (const { uuid } of gpus) {
        if (list.ok && list.gpus.some((gpu) => gpu.uuid === uuid)) missed.delete(uuid);
        else if (!missed.has(uuid)) missed.add(uuid);
        else {
          const reason = list.ok ? 'nvidia-smi does not list it any more' : list.reason;
          if (await quarantineDevice(parts.worker_id, uuid, reason)) parts.log.error({ uuid, reason }, 'a GPU is lost');
          for (const supervisor of held.values()) if (supervisor.device_uuids.includes(uuid)) supervisor.wish('gpu_lost');
        }
      }
    },
  };
}
