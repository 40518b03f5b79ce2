/**
 * The statuses of jobs and datasets and the legal moves between them. The database's CHECK constraints, its table of
 * legal transitions, the API's schemas and the pages all derive from these lists.
 */

export const JOB_STATUSES = ['queued', 'initializing', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Statuses in which a job holds one of its user's slots and a worker answers for it. */
export const ACTIVE_JOB_STATUSES = ['initializing', 'running'] as const satisfies readonly JobStatus[];

/** Statuses that nothing leaves. */
export const TERMINAL_JOB_STATUSES = ['completed', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];

/** Every legal pair of the job state machine; the database refuses all others. */
export const LEGAL_JOB_TRANSITIONS: readonly (readonly [from: JobStatus, to: JobStatus])[] = [
  ['queued', 'initializing'],
  ['queued', 'failed'],
  ['queued', 'cancelled'],
  ['initializing', 'running'],
  ['initializing', 'queued'],
  ['initializing', 'failed'],
  ['initializing', 'cancelled'],
  ['running', 'completed'],
  ['running', 'failed'],
  ['running', 'cancelled'],
  ['running', 'queued'],
];

export function isTerminal(status: JobStatus): boolean {
  return (TERMINAL_JOB_STATUSES as readonly JobStatus[]).includes(status);
}

export function isActive(status: JobStatus): boolean {
  return (ACTIVE_JOB_STATUSES as readonly JobStatus[]).includes(status);
}

export const DATASET_STATUSES = ['uploading', 'validating', 'ready', 'error'] as const;
export type DatasetStatus = (typeof DATASET_STATUSES)[number];

export const BASE_MODEL_STATUSES = ['fetching', 'ready', 'error'] as const;

/** checking: no worker has asked its trainer yet what it can do. */
export const TRAINING_IMAGE_STATUSES = ['checking', 'ready', 'error'] as const;

/** How far a base model is trusted by whoever keeps the registry. */
export const MODEL_STAGES = ['staging', 'production', 'archived'] as const;
export type ModelStage = (typeof MODEL_STAGES)[number];
