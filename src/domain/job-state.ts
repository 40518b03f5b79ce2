import { isTerminal, type JobStatus } from './statuses.ts';
import type { TrainerErrorCode, WorkerErrorCode } from './trainer-events.ts';

/** Why a job failed: a closed list that decides the user's sentence and whether a retry is sane. */
export type JobErrorCode = TrainerErrorCode | WorkerErrorCode;

export interface JobFailure {
  code: JobErrorCode;
  /** One sentence for the user. */
  message: string;
  /** The next step to take. */
  hint: string | null;
  /** The trainer's own traceback with paths shortened, or its last lines. */
  stack: string | null;
}

/** What can happen to a job; each is one legal move of its status or none. */
export type JobHappening =
  | { type: 'claimed' }
  | { type: 'started' }
  | { type: 'not_started' }
  | { type: 'completed' }
  | { type: 'failed'; failure: JobFailure }
  | { type: 'cancelled' }
  | { type: 'paused' }
  | { type: 'lost' };

const NEXT: Record<JobHappening['type'], Partial<Record<JobStatus, JobStatus>>> = {
  claimed: { queued: 'initializing' },
  started: { initializing: 'running' },
  // Proved: no trainer was started, so the job waits again.
  not_started: { initializing: 'queued' },
  completed: { running: 'completed' },
  failed: { queued: 'failed', initializing: 'failed', running: 'failed' },
  cancelled: { queued: 'cancelled', initializing: 'cancelled', running: 'cancelled' },
  // It ended on its user's wish, to go on from its checkpoint.
  paused: { running: 'queued', initializing: 'queued' },
  // Proved dead for a fault of ours, with attempts left.
  lost: { running: 'queued', initializing: 'queued' },
};

/** The status that a happening leads to from the status seen, or null when it cannot happen there. */
export function nextStatus(status: JobStatus, happening: JobHappening['type']): JobStatus | null {
  return isTerminal(status) ? null : (NEXT[happening][status] ?? null);
}

/** Faults of ours: the system itself starts the job again, from its last checkpoint, a few times. */
const OUR_FAULTS: readonly JobErrorCode[] = ['gpu_lost', 'contact_lost'];

export function isOurFault(code: JobErrorCode): boolean {
  return OUR_FAULTS.includes(code);
}
