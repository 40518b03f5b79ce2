/** By which words of the catalogue a device of this installation can be had. */
import type { DEVICE_KINDS } from './devices.ts';
import { findDevice, knownName } from './foresight/devices/known-devices.ts';
import { type GpuEntry, type GpuType, gpuKey } from './gpu-catalog.ts';

export interface NamedDevice {
  kind: (typeof DEVICE_KINDS)[number];
  /** As its driver or its processor says it. */
  name: string;
}

const MAKER = /^nvidia\s+/i;

/**
 * The types that a training may name to be given this device: of a GPU the machine's own, and what the catalogue has under its name or,
 * for a name that the planner does not know, like it. A MIG instance goes by no whole card's name.
 */
export function deviceTypes(device: NamedDevice, catalog: readonly Pick<GpuEntry, 'type' | 'aliases' | 'like'>[]): string[] {
  const own: GpuType = device.kind === 'cpu' ? 'CPU' : 'Own-GPU';
  const names = [device.name, device.name.replace(MAKER, '')].map(gpuKey);
  const known = device.kind === 'cpu' ? null : knownName(device.name);
  const others = catalog.filter(({ type, aliases, like }) => {
    if (type === ('CPU' satisfies GpuType) || type === ('Own-GPU' satisfies GpuType)) return false;
    if ([type, ...aliases].some((name) => names.includes(gpuKey(name)))) return true;
    const meant = knownName(type) ?? like;
    if (meant === null) return false;
    return device.kind === 'cpu' ? findDevice(meant)?.kind === 'cpu' : knownName(meant) === known && known !== null;
  });
  return [own, ...others.map(({ type }) => type)];
}
