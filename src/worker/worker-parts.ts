import type { Logger } from 'pino';
import type { PromiseTimes } from '#/domain/constants.ts';
import type { ExecutorName } from '#/domain/executors.ts';
import type { Engine } from './executors/docker/engine.ts';
import type { Executor, RunHandle } from './executors/executor.ts';

/** What every part of a worker is given. */
export interface WorkerParts {
  worker_id: string;
  times: PromiseTimes;
  executors: Record<ExecutorName, Executor>;
  /** The one that this worker starts runs by; those of before stay with the one that has them. */
  launches_by: ExecutorName;
  /** The container engine of this host; null where its address is refused. */
  engine: Engine | null;
  log: Logger;
  /** Of each GPU by its uuid, for example 8.6. */
  compute_capabilities: Map<string, number | null>;
  /** Aborted when the worker stops in order. */
  stopping: AbortSignal;
}

/** How often a run is looked at, in milliseconds: the tail of its events is at most this old. */
export function watchMs(times: PromiseTimes): number {
  return times.sweep_ms / 20;
}

/** Who has a run, by its handle. */
export function executorOf(parts: WorkerParts, { executor }: Pick<RunHandle, 'executor'>): Executor {
  return parts.executors[executor];
}
