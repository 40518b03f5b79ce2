/** Where runs live. A run is found again by data alone: what `launch` returns is stored, and any later worker goes on from it. */

import type { RunExit } from '#/domain/run-exit.ts';
import type { RunLimits } from '#/domain/run-limits.ts';

/** What is launched: one attempt at one job, whose `config.json` lies in its folder. */
export interface RunSpec {
  job_id: string;
  attempt: number;
  /** The device's own name for CUDA_VISIBLE_DEVICES; '' for a run on the CPU. */
  cuda_device: string;
  limits: RunLimits;
}

/** Plain JSON, stored with the run. */
export interface RunHandle {
  executor: 'process';
  job_id: string;
  attempt: number;
}

export type RunState =
  /** Launched or about to be; its program is not known to have started. */
  | { phase: 'waiting' }
  /** `beat` grows while its owner lives; `trainer_alive` is false when the trainer has ended and its owner has not said so yet. */
  | { phase: 'running'; beat: number; trainer_alive: boolean }
  /** Ended, and nothing of its process tree is left. */
  | ({ phase: 'exited' } & RunExit)
  /** Gone without a word: `started` tells whether its program ever ran. */
  | { phase: 'lost'; started: boolean; reason: string };

export interface Executor {
  /** Starts the run, at most once for an attempt however often it is called. Throws `LaunchError`. */
  launch(run: RunSpec): Promise<RunHandle>;
  observe(handle: RunHandle): Promise<RunState>;
  /** Asks the run to end; after `grace_ms` its whole tree is killed. Returns at once. */
  stop(handle: RunHandle, grace_ms: number, reason: string): Promise<void>;
  /** Makes sure that the run never starts if it has not started yet; answers whether that was in time. */
  forbid(handle: RunHandle): Promise<boolean>;
  /** Kills whatever of the run is left after its end; true when nothing is. */
  clear(handle: RunHandle): Promise<boolean>;
}

/** The run could not be started; its message is for the user. */
export class LaunchError extends Error {
  readonly code: 'launch_failed' | 'disk_full';

  constructor(code: 'launch_failed' | 'disk_full', message: string) {
    super(message);
    this.name = 'LaunchError';
    this.code = code;
  }
}
