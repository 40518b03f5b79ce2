/** What this host can give to runs: its NVIDIA GPUs as nvidia-smi lists them, or places on the CPU where there is none. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { MigPart } from '#/domain/devices.ts';
import { cpuName } from '#/domain/foresight/devices/known-devices.ts';
import { env } from '#/env.ts';
import type { DeviceLook } from '#/services/machine/note-devices.ts';
import type { DeviceFacts } from '#/services/machine/register-worker.ts';

const QUERY = 'index,uuid,name,memory.total,memory.used,mig.mode.current,compute_cap,utilization.gpu';
const WITHIN_MS = 20_000;
const MIB = 2 ** 20;

export interface Device extends DeviceFacts {
  mig: MigPart | null;
  /** For example 8.6; null on the CPU and where nvidia-smi does not say. */
  compute_capability: number | null;
}

export type GpuList = { ok: true; gpus: Device[]; looks: DeviceLook[] } | { ok: false; reason: string };

/** One GPU as nvidia-smi lists it: whole, or in MIG mode and to be had in parts alone. */
export interface Card extends Device {
  index: number;
  is_parted: boolean;
  memory_used_mb: number | null;
  utilization_percent: number | null;
}

/** The GPUs as nvidia-smi lists them now and what goes on on them; `ok: false` when there is no nvidia-smi or it fails. */
export async function listGpus(): Promise<GpuList> {
  try {
    const cards = parseGpus(await nvidiaSmi(`--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'));
    const parts = cards.some(({ is_parted }) => is_parted) ? parseParts(await nvidiaSmi('-L')) : [];
    const gpus = cards.flatMap((card) => devicesOf(card, parts));
    // Who cannot say who computes has said nothing of it.
    const computing = await nvidiaSmi('--query-compute-apps=gpu_uuid,pid', '--format=csv,noheader').then(
      parseComputing,
      () => null,
    );
    return { ok: true, gpus, looks: gpus.map((gpu) => lookOf(gpu, cards, computing)) };
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    const words = (stdout ?? '').trim().split('\n')[0] ?? '';
    return { ok: false, reason: code === 'ENOENT' ? 'there is no nvidia-smi' : words || `nvidia-smi failed (${String(code)})` };
  }
}

async function nvidiaSmi(...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('nvidia-smi', options, {
    env: { PATH: env.PATH, LANG: 'C' } as unknown as NodeJS.ProcessEnv,
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

const wholeNumber = (field: string | undefined): number | null => (/^\d+$/.test(field ?? '') ? Number(field) : null);

/** Lines of `index, uuid, name, MB, MB, mode, capability, %`; a line that is no GPU (an error in its place) is left out. */
export function parseGpus(text: string): Card[] {
  const cards: Card[] = [];
  for (const line of text.split('\n')) {
    const [number, uuid, name, memory, used, mode, capability, percent] = line.split(',').map((field) => field.trim());
    const [index, memory_mb] = [wholeNumber(number), wholeNumber(memory)];
    if (index === null || memory_mb === null || uuid === undefined || !uuid.startsWith('GPU-')) continue;
    const compute_capability = Number(capability);
    cards.push({
      kind: 'gpu',
      uuid,
      name: name ?? 'GPU',
      memory_mb,
      index,
      mig: null,
      is_parted: mode === 'Enabled',
      memory_used_mb: wholeNumber(used),
      utilization_percent: wholeNumber(percent),
      compute_capability: Number.isFinite(compute_capability) && compute_capability > 0 ? compute_capability : null,
    });
  }
  return cards;
}

/** A MIG instance as `nvidia-smi -L` lists it below its card. */
export interface Part extends MigPart {
  uuid: string;
}

/** Lines of `GPU 0: NAME (UUID: GPU-…)`, each followed by `  MIG 1g.10gb  Device 0: (UUID: MIG-…)` for each of its instances. */
export function parseParts(text: string): Part[] {
  const parts: Part[] = [];
  let card_uuid: string | undefined;
  for (const line of text.split('\n')) {
    const card = /^GPU \d+:.*\(UUID: (GPU-[^)\s]+)\)/.exec(line)?.[1];
    if (card !== undefined) card_uuid = card;
    const [, profile, uuid] = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)\s]+)\)/.exec(line) ?? [];
    if (card_uuid !== undefined && profile !== undefined && uuid !== undefined) parts.push({ card_uuid, profile, uuid });
  }
  return parts;
}

/** What of a card can be given out: itself, or in MIG mode each of its instances, and never both. */
function devicesOf(card: Card, parts: Part[]): Device[] {
  const { is_parted, memory_used_mb: _, utilization_percent: __, ...whole } = card;
  if (!is_parted) return [whole];
  return parts.flatMap(({ uuid, ...mig }) => {
    const memory_mb = partMemory(mig.profile);
    if (mig.card_uuid !== card.uuid || memory_mb === null) return [];
    return [{ ...whole, uuid, name: `${card.name} MIG ${mig.profile}`, memory_mb, mig }];
  });
}

/**
 * MiB of an instance, as its profile's name tells them (NVIDIA's MIG user guide, "MIG device names"): 3g.20gb has 20 GB. Several
 * compute instances of one GPU instance (1c.3g.20gb) share its memory: each is given its share.
 */
function partMemory(profile: string): number | null {
  const told = /^(?:(\d+)c\.)?(\d+)g\.(\d+)gb/.exec(profile);
  if (told === null) return null;
  const [slices, gb] = [Number(told[2]), Number(told[3])];
  const share = told[1] === undefined ? 1 : Number(told[1]) / slices;
  return Math.floor((gb * 1e9 * share) / MIB);
}

/** Lines of `uuid, pid`: how many processes compute on each GPU, or on each MIG instance. */
export function parseComputing(text: string): Map<string, number> {
  const computing = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [uuid] = line.split(',').map((field) => field.trim());
    if (uuid !== undefined && /^(GPU|MIG)-/.test(uuid)) computing.set(uuid, (computing.get(uuid) ?? 0) + 1);
  }
  return computing;
}

function lookOf(gpu: Device, cards: Card[], computing: Map<string, number> | null): DeviceLook {
  const { uuid, mig } = gpu;
  if (mig !== null) {
    // Drivers name the instance or its card; of the card it is not known which of its instances is meant.
    const [own, of_card] = [computing?.get(uuid) ?? 0, computing?.get(mig.card_uuid) ?? 0];
    const processes = computing === null ? null : own + of_card;
    return { uuid, memory_used_mb: null, utilization_percent: null, processes, by_card: of_card > 0 };
  }
  const card = cards.find((one) => one.uuid === uuid);
  return {
    uuid,
    memory_used_mb: card?.memory_used_mb ?? null,
    utilization_percent: card?.utilization_percent ?? null,
    processes: computing === null ? null : (computing.get(uuid) ?? 0),
    by_card: false,
  };
}

/** The devices to register with what goes on on them, and why there is no GPU among them where there is none. */
export async function detectDevices(): Promise<{ devices: Device[]; looks: DeviceLook[]; no_gpu: string | null }> {
  const list = await listGpus();
  if (list.ok && list.gpus.length > 0) return { devices: list.gpus, looks: list.looks, no_gpu: null };
  return { devices: cpuSlots(env.LOWRANK_CPU_SLOTS), looks: [], no_gpu: list.ok ? 'nvidia-smi lists none' : list.reason };
}

/** Places for runs on the processor: so many at once, and each with its share of the memory. */
function cpuSlots(count: number): Device[] {
  const name = cpuName(cpus()[0]?.model.trim() || 'CPU', availableParallelism());
  const memory_mb = Math.floor(totalmem() / MIB / count);
  return Array.from({ length: count }, (_, at) => ({
    kind: 'cpu',
    uuid: at === 0 ? 'cpu' : `cpu-${at + 1}`,
    name,
    memory_mb,
    index: at,
    mig: null,
    compute_capability: null,
  }));
}
