import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '#/domain/app-error.ts';
import type { WorkerParts } from './worker-parts.ts';

/** True when the database does not answer right now: the same again, later. */
export function isAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'database_unavailable';
}

export function isFenced(error: unknown): boolean {
  return error instanceof AppError && error.code === 'fenced';
}

/** Thrown out of a run's care when the worker stops in order: the run itself goes on. */
export class Stopped extends Error {}

/** Does database work, again and again while the database is away. Throws `Stopped` when the worker stops meanwhile. */
export async function patiently<T>(parts: WorkerParts, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      parts.log.warn({ err: error }, 'the database is away');
    }
    await pauseUnlessStopped(parts, parts.times.sweep_ms / 5);
  }
}

/** Waits; throws `Stopped` when the worker stops in order, before or meanwhile. */
export async function pauseUnlessStopped(parts: WorkerParts, ms: number): Promise<void> {
  try {
    await pause(ms, undefined, { signal: parts.stopping });
  } catch {
    throw new Stopped();
  }
}
