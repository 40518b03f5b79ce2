/** What an engine is like, as far as trainings mind. */
import * as z from 'zod';
import type { Engine } from './engine.ts';

const Info = z.looseObject({
  NCPU: z.int().default(1),
  SecurityOptions: z.array(z.string()).nullish(),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  CDISpecDirs: z.array(z.string()).nullish(),
  DiscoveredDevices: z.array(z.looseObject({ ID: z.string() })).nullish(),
  LiveRestoreEnabled: z.boolean().default(false),
});

export interface EngineFacts {
  version: string;
  is_podman: boolean;
  /** Its containers' root is this account, not the machine's. */
  is_rootless: boolean;
  processors: number;
  /** How it hands out GPUs; null where it does not say that it does: only a start would tell. */
  gpu_way: 'hook' | 'cdi' | null;
  /** It has NVIDIA's runtime, or has found NVIDIA's devices. */
  tells_of_gpus: boolean;
  /** Its containers go on while it is away. */
  live_restore: boolean;
}

const NVIDIA = 'nvidia.com/gpu=';

/** Asks the engine. Throws `EngineAway` and `EngineRefusal`. */
export async function readEngineFacts(engine: Engine): Promise<EngineFacts> {
  const { version, is_podman } = await engine.about();
  const info = Info.parse(await engine.ask('GET', '/info'));
  return {
    version,
    is_podman,
    is_rootless: (info.SecurityOptions ?? []).some((option) => /^name=rootless\b/.test(option)),
    processors: Math.max(1, info.NCPU),
    gpu_way: gpuWay(info),
    tells_of_gpus: hasFoundGpus(info) || hasRuntime(info),
    live_restore: info.LiveRestoreEnabled,
  };
}

/** CDI where the engine has found NVIDIA's devices, else the hook where it has NVIDIA's runtime, else CDI where it looks for such. */
function gpuWay(info: z.infer<typeof Info>): EngineFacts['gpu_way'] {
  if (hasFoundGpus(info)) return 'cdi';
  if (hasRuntime(info)) return 'hook';
  return (info.CDISpecDirs ?? []).length > 0 ? 'cdi' : null;
}

const hasFoundGpus = ({ DiscoveredDevices }: z.infer<typeof Info>): boolean =>
  (DiscoveredDevices ?? []).some(({ ID }) => ID.startsWith(NVIDIA));
const hasRuntime = ({ Runtimes }: z.infer<typeof Info>): boolean => Object.keys(Runtimes ?? {}).includes('nvidia');
