import { setTimeout as pause } from 'node:timers/promises';
import { isAway } from './patience.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Does something at a steady pace until the worker stops. A failure is logged and waits for the next time. */
export async function steadily(parts: WorkerParts, every_ms: number, work: () => Promise<unknown>): Promise<void> {
  while (!parts.stopping.aborted) {
    const began = performance.now();
    await attempt(parts, work);
    await pause(Math.max(1, every_ms - (performance.now() - began)), undefined, { signal: parts.stopping }).catch(
      () => undefined,
    );
  }
}

/** Does something once; what it throws is logged, and answered as undefined. */
export async function attempt<T>(parts: Pick<WorkerParts, 'log' | 'stopping'>, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isAway(error)) parts.log.warn({ code: error.code }, 'a round of the worker waits for what is away');
    else if (!parts.stopping.aborted) parts.log.error({ err: error }, 'a round of the worker failed');
    return undefined;
  }
}
