/** What an installation's own devices add to the catalogue, which knows them by no name of a maker. */
import { GB } from './bytes.ts';
import type { DEVICE_KINDS } from './devices.ts';
import { findDevice } from './foresight/devices/known-devices.ts';
import type { GpuEntry, GpuType } from './gpu-catalog.ts';

export interface OwnDevice {
  kind: (typeof DEVICE_KINDS)[number];
  /** As its driver or its processor says it. */
  name: string;
  /** MiB */
  memory_mb: number;
}

const MIB = 2 ** 20;
const OWN = { 'Own-GPU': 'gpu', CPU: 'cpu' } as const satisfies Partial<Record<GpuType, OwnDevice['kind']>>;

/** The catalogue with what own devices are, where nobody said otherwise; of several the one with the least memory, for a run may be given any. */
export function withOwnDevices<Entry extends GpuEntry>(catalog: readonly Entry[], own: readonly OwnDevice[]): Entry[] {
  return catalog.map((entry) => {
    const [here] = own
      .filter(({ kind }) => kind === OWN[entry.type as keyof typeof OWN])
      .toSorted((a, b) => a.memory_mb - b.memory_mb);
    if (here === undefined) return entry;
    // A processor's name tells its cores; one that was registered without them is any.
    const nameless = here.kind === 'cpu' && findDevice(here.name) === null;
    const like = entry.like ?? (nameless ? entry.type : here.name);
    const known = findDevice(like);
    // Of a GPU torch can have a little less than its driver tells; a part of one has less than the table says.
    const bytes = here.memory_mb * MIB;
    const most = here.kind === 'gpu' ? Math.min(known?.memory_bytes ?? bytes, bytes) : bytes;
    return { ...entry, like: known === null ? entry.like : like, memory_gb: entry.memory_gb ?? most / GB };
  });
}
