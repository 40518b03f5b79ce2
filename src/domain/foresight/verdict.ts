/** Whether a training fits its device, from the interval that its memory lies in. */
import type { DeviceFacts } from './devices/hardware.ts';

export const VERDICTS = ['fits', 'tight', 'will_not_fit'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * Share of a device's memory that nothing is planned into. A choice of ours: blocks that are free but too small, and what else
 * the host's driver and desktop hold.
 */
export const RESERVE_SHARE = 0.02;

/** Bytes of a device that a training may hold. */
export function usableBytes({ memory_bytes }: Pick<DeviceFacts, 'memory_bytes'>): number {
  return memory_bytes * (1 - RESERVE_SHARE);
}

/** `fits`: even its 95th percentile does. `will_not_fit`: not even its 5th does. `tight`: everything between. */
export function verdictOf(need: { low_bytes: number; high_bytes: number }, device: Pick<DeviceFacts, 'memory_bytes'>): Verdict {
  const usable = usableBytes(device);
  if (need.high_bytes <= usable) return 'fits';
  return need.low_bytes > usable ? 'will_not_fit' : 'tight';
}
