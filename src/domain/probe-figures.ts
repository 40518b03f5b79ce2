/** What the first slice of a run measured of it, as its job keeps and tells it. */
import * as z from 'zod';
import { formatBytes, MB } from './bytes.ts';
import { ProbeEvent } from './trainer-events.ts';

/** The newest attempt's; of each attempt before, the job's events tell. */
export const ProbeFigures = z.object({
  attempt: z.int().min(1),
  ...ProbeEvent.omit({ seq: true, ts: true, type: true }).shape,
});
export type ProbeFigures = z.infer<typeof ProbeFigures>;

/** One line of it, as a job's events tell it. */
export function probeWords(probe: Pick<ProbeEvent, 'seconds_per_step' | 'timed_steps' | 'device_memory_mb'>): string {
  const { seconds_per_step, timed_steps, device_memory_mb } = probe;
  const steps = timed_steps === 1 ? 'one step' : `${timed_steps} steps`;
  return `measured over ${steps}: ${Number(seconds_per_step.median.toPrecision(3))} s/step, ${formatBytes(device_memory_mb * MB)}`;
}
