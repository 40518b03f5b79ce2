import type { WIZARD_STATUSES } from '#/contract/experiments.ts';
import type { JobStatus } from '#/domain/statuses.ts';

const STATUS_WORDS: Record<JobStatus, (typeof WIZARD_STATUSES)[number]> = {
  queued: 'PENDING',
  initializing: 'PENDING',
  running: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
};

/** A job's status in door C's words. */
export const wizardStatus = (status: JobStatus) => STATUS_WORDS[status];
