/** Where runs live. A run is found again by data alone: what `launch` returns is stored, and any later worker goes on from it. */

import type { ExecutorName } from '#/domain/executors.ts';
import type { RunExit } from '#/domain/run-exit.ts';
import type { RunLimits } from '#/domain/run-limits.ts';

/** What a run reads and writes on this host: absolute paths. */
export interface RunPaths {
  /** A file. */
  dataset_path: string;
  /** A folder. */
  base_model_path: string;
  /** Folders of the adapters that the training goes on from. */
  init_adapters: string[];
  /** The folder of the job's newest complete checkpoint. */
  resume_from: string | null;
  job_folder: string;
  output_path: string;
}

/** An image as it is named, and which one that was: the digest of its content. */
export interface RunImage {
  reference: string;
  digest: string | null;
}

/** What is launched: one attempt at one job, whose `config.json` lies in its folder. */
export interface RunSpec {
  job_id: string;
  attempt: number;
  /** The GPUs that it has leased, by uuid; none for a run on the CPU. */
  devices: string[];
  /** They are all that its host has. */
  all_devices: boolean;
  /** What it lives in; null is the executor's own choice, and for processes there is none. */
  image: RunImage | null;
  limits: RunLimits;
  paths: RunPaths;
}

/** Plain JSON, stored with the run. */
export interface RunHandle {
  executor: ExecutorName;
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
  /** Nobody can say now: what has the run does not answer. The run itself is not touched by that. */
  | { phase: 'away'; reason: string }
  /** Gone without a word: `started` tells whether its program ever ran. */
  | { phase: 'lost'; started: boolean; reason: string };

/** Why an executor cannot start runs now, with the way out: `away` passes by itself, `unfit` waits for a person. */
export type ExecutorFault = { state: 'away' | 'unfit'; reason: string };
export type Readiness = { state: 'ready' } | ExecutorFault;

export interface Executor {
  /** Asked before each claim: quick, and never throws. */
  ready(): Promise<Readiness>;
  /** The runs of this worker that it knows of, whether or not anybody looks after them. */
  list(): Promise<RunHandle[]>;
  /** By which paths a run's trainer finds what `paths` names on this host: they stand in its `config.json`. */
  pathsInside(paths: RunPaths): RunPaths;
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

/** `engine_away` passes by itself: the job waits for it. */
type LaunchErrorCode = 'launch_failed' | 'disk_full' | 'engine_away';

/** The run could not be started; its message is for the user. */
export class LaunchError extends Error {
  readonly code: LaunchErrorCode;

  constructor(code: LaunchErrorCode, message: string) {
    super(message);
    this.name = 'LaunchError';
    this.code = code;
  }
}
