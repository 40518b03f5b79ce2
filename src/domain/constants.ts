import { MB } from './bytes.ts';

/**
 * The times that the promises name, in milliseconds, as one value that tests scale down together. Nothing else in the
 * product waits for a fixed time.
 */
export interface PromiseTimes {
  /** Worker and wrapper say that they live. */
  heartbeat_ms: number;
  /** The worker looks at every run it holds. */
  sweep_ms: number;
  /** Without a heartbeat for this long, contact counts as lost. */
  contact_lost_ms: number;
  /** A wrapper whose worker has been silent for this long ends its run by itself. */
  self_fence_ms: number;
  /** Only after this long may another host settle the run of a vanished one. */
  fence_ms: number;
  /** From SIGTERM to SIGKILL of the whole tree. */
  grace_ms: number;
  /** No training step for this long is a hang. */
  hang_training_ms: number;
  /** No event for this long in any other stage is a hang. */
  hang_stage_ms: number;
  /** A run longer than this is ended. */
  runtime_limit_ms: number;
  /**
   * A training that needs several devices and has waited this long has those kept for it that come free: long against the sweep, so that
   * what ends anyway is waited for with every device at work, and short against a training.
   */
  kept_after_ms: number;
}

export const PROMISE_TIMES: PromiseTimes = {
  heartbeat_ms: 5_000,
  sweep_ms: 5_000,
  contact_lost_ms: 30_000,
  self_fence_ms: 12 * 60_000,
  fence_ms: 15 * 60_000,
  grace_ms: 20_000,
  hang_training_ms: 10 * 60_000,
  hang_stage_ms: 30 * 60_000,
  runtime_limit_ms: 24 * 3_600_000,
  kept_after_ms: 5 * 60_000,
};

/** A cancel whose machine answers is final within this time: the grace, and what it takes to be heard and to see the tree gone. */
export const CANCELLED_WITHIN_MS = PROMISE_TIMES.grace_ms + 2 * PROMISE_TIMES.sweep_ms;

/** All promised times divided by one factor: how the fault tests run in seconds. */
export function scaledPromiseTimes(divisor: number): PromiseTimes {
  return Object.fromEntries(Object.entries(PROMISE_TIMES).map(([name, ms]) => [name, ms / divisor])) as unknown as PromiseTimes;
}

/** Automatic restarts of a job for our own faults (lost worker, GPU or host). */
export const AUTOMATIC_RESTARTS_MAX = 3;
/** Runs that one job may have, however it came to them: pauses make one each. The column holds 32,767. */
export const ATTEMPTS_MAX = 1_000;

/** Jobs of one user that may be active at once, unless the user's own limit says otherwise. */
export const ACTIVE_JOBS_PER_USER = 2;

/** How long a submission at door A waits for its launch before it answers what is true then. */
export const LAUNCH_AWAITED_MS = 10_000;
/** How long of that it waits for a worker to claim the job at all: one that is there does so within milliseconds. */
export const CLAIM_AWAITED_MS = 1_000;

export const DATASET_BYTES_MAX = 500 * MB;
/** Downloads that one web process has under way for one person, and for all: each holds some 400 kB and, elsewhere, a connection to the storage. */
export const DOWNLOADS_A_PERSON_MAX = 8;
export const DOWNLOADS_MAX = 128;
export const PAGE_LIMIT_DEFAULT = 50;
export const PAGE_LIMIT_MAX = 500;
/** Up to here a list's total is counted; above it is an estimate, and says so. */
export const TOTAL_EXACT_MAX = 10_000;

/** What somebody without a password writes to leave for good. */
export const LEAVING_WORDS = 'delete my account';
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 128;
