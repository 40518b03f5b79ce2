import { setTimeout as pause } from 'node:timers/promises';
import { AppError, type AppErrorCode } from '#/domain/app-error.ts';
import type { WorkerParts } from './worker-parts.ts';

const AWAY: readonly AppErrorCode[] = ['database_unavailable', 'storage_unavailable'];
/** Waits grow to so many sweeps: what is away for long is not asked every second. */
const SWEEPS_MAX = 2;

/** True when the database or the storage of files does not answer right now: the same again, later. */
export function isAway(error: unknown): error is AppError {
  return error instanceof AppError && AWAY.includes(error.code);
}

export function isFenced(error: unknown): boolean {
  return error instanceof AppError && error.code === 'fenced';
}

/** Thrown out of a run's care when the worker stops in order: the run itself goes on. */
export class Stopped extends Error {}

/**
 * Does work again and again while the database or the storage is away; `hurry` ends a wait, not the work. Throws `Stopped` when
 * the worker stops meanwhile.
 */
export async function patiently<T>(parts: WorkerParts, work: () => Promise<T>, hurry?: AbortSignal): Promise<T> {
  for (let wait_ms = parts.times.sweep_ms / 5; ; wait_ms = Math.min(wait_ms * 2, parts.times.sweep_ms * SWEEPS_MAX)) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      parts.log.warn({ err: error }, isDatabase(error) ? 'the database is away' : 'the storage is away');
      // The database is asked steadily: a run's points wait for it.
      if (isDatabase(error)) wait_ms = parts.times.sweep_ms / 5;
    }
    const ended = hurry === undefined ? parts.stopping : AbortSignal.any([parts.stopping, hurry]);
    await pause(wait_ms, undefined, { signal: ended }).catch(() => undefined);
    if (parts.stopping.aborted) throw new Stopped();
  }
}

function isDatabase(error: AppError): boolean {
  return error.code === 'database_unavailable';
}

/** Waits; throws `Stopped` when the worker stops in order, before or meanwhile. */
export async function pauseUnlessStopped(parts: WorkerParts, ms: number): Promise<void> {
  try {
    await pause(ms, undefined, { signal: parts.stopping });
  } catch {
    throw new Stopped();
  }
}

/** Null when a signal has ended the work before it was done; what it throws otherwise is thrown. */
export async function unlessEnded<T>(ended: AbortSignal, work: () => Promise<T>): Promise<T | null> {
  try {
    ended.throwIfAborted();
    return await work();
  } catch (error) {
    if (ended.aborted && !isFenced(error)) return null;
    throw error;
  }
}
