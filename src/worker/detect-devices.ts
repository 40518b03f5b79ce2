/** What this host can give to runs: its NVIDIA GPUs as nvidia-smi lists them, or one place on the CPU where there is none. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { cpuName } from '#/domain/foresight/devices/known-devices.ts';
import { env } from '#/env.ts';
import type { DeviceFacts } from '#/services/machine/register-worker.ts';

const QUERY = 'index,uuid,name,memory.total,memory.used,mig.mode.current,compute_cap';
const WITHIN_MS = 20_000;

export interface Device extends DeviceFacts {
  /** For example 8.6; null on the CPU and where nvidia-smi does not say. */
  compute_capability: number | null;
}

export type GpuList = { ok: true; gpus: Device[] } | { ok: false; reason: string };

/** The GPUs as nvidia-smi lists them now; `ok: false` when there is no nvidia-smi or it fails. */
export async function listGpus(): Promise<GpuList> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', [`--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'], {
      env: { PATH: env.PATH, LANG: 'C' } as unknown as NodeJS.ProcessEnv,
      timeout: WITHIN_MS,
      killSignal: 'SIGKILL',
    });
    return { ok: true, gpus: parseGpus(stdout) };
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    const words = (stdout ?? '').trim().split('\n')[0] ?? '';
    return { ok: false, reason: code === 'ENOENT' ? 'there is no nvidia-smi' : words || `nvidia-smi failed (${String(code)})` };
  }
}

/** Lines of `index, uuid, name, MB, MB, mode, capability`; a line that is no GPU (an error in its place) is left out. */
export function parseGpus(text: string): Device[] {
  const gpus: Device[] = [];
  for (const line of text.split('\n')) {
    const [index, uuid, name, memory_mb, , , capability] = line.split(',').map((field) => field.trim());
    if (index === undefined || !/^\d+$/.test(index) || uuid === undefined || !uuid.startsWith('GPU-')) continue;
    if (!/^\d+$/.test(memory_mb ?? '')) continue;
    const compute_capability = Number(capability);
    gpus.push({
      kind: 'gpu',
      uuid,
      name: name ?? 'GPU',
      memory_mb: Number(memory_mb),
      compute_capability: Number.isFinite(compute_capability) && compute_capability > 0 ? compute_capability : null,
    });
  }
  return gpus;
}

/** The devices to register, and why there is no GPU among them where there is none. */
export async function detectDevices(): Promise<{ devices: Device[]; no_gpu: string | null }> {
  const list = await listGpus();
  if (list.ok && list.gpus.length > 0) return { devices: list.gpus, no_gpu: null };
  const cpu: Device = {
    kind: 'cpu',
    uuid: 'cpu',
    name: cpuName(cpus()[0]?.model.trim() || 'CPU', availableParallelism()),
    memory_mb: Math.floor(totalmem() / 2 ** 20),
    compute_capability: null,
  };
  return { devices: [cpu], no_gpu: list.ok ? 'nvidia-smi lists none' : list.reason };
}
