/** What the first slice of a run measured of it. */
import { formatBytes, MB } from './bytes.ts';
import type { ProbeEvent } from './trainer-events.ts';

/** One line of it, as a job's events tell it. */
export function measuredWords(probe: ProbeEvent): string {
  const { seconds_per_step, timed_steps, device_memory_mb } = probe;
  const steps = timed_steps === 1 ? 'one step' : `${timed_steps} steps`;
  return `measured over ${steps}: ${Number(seconds_per_step.median.toPrecision(3))} s/step, ${formatBytes(device_memory_mb * MB)}`;
}
