/** A job's facts in a person's words. */
import type { TrainingJob } from '#/contract/jobs.ts';
import type { JobErrorCode } from '#/domain/job-state.ts';
import { isTerminal, type JobStatus } from '#/domain/statuses.ts';

export const STATUS_WORDS: Record<JobStatus, string> = {
  queued: 'Queued',
  initializing: 'Starting',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

export const STAGE_WORDS: Record<string, string> = {
  fetching_model: 'Fetching the base model',
  starting: 'Starting the trainer',
  loading_model: 'Loading the model',
  preparing_data: 'Preparing the data',
  training: 'Training',
  evaluating: 'Evaluating',
  saving: 'Saving',
  exporting: 'Exporting the adapter',
  verifying: 'Loading the adapter once, to be sure',
  publishing: 'Storing the files',
  done: 'Finishing',
};

/** Says if a person holds the job: it was paused and has stopped, or was submitted to be held. */
export function isHeld(job: Pick<TrainingJob, 'status' | 'held_at'>): boolean {
  return job.status === 'queued' && job.held_at !== null;
}

/** Says if it was stopped, or is about to be, to go on later. */
export function isPaused(job: Pick<TrainingJob, 'status' | 'held_at' | 'pause_requested_at'>): boolean {
  return job.pause_requested_at !== null && !isTerminal(job.status);
}

/** What the job is doing now. */
export function stageWords(job: TrainingJob): string {
  if (job.status === 'queued') {
    if (isHeld(job)) return isPaused(job) ? 'Paused' : 'Held';
    return (job.current_stage !== null && STAGE_WORDS[job.current_stage]) || 'Waiting for a free place';
  }
  if (job.status === 'initializing' || job.status === 'running') {
    if (job.cancel_requested_at !== null) return 'Stopping';
    if (job.pause_requested_at !== null) return 'Pausing';
    const stage = job.current_stage ?? 'starting';
    return STAGE_WORDS[stage] ?? stage.replaceAll('_', ' ');
  }
  return STATUS_WORDS[job.status];
}

/** The title of a failure; the sentence and the next step are the job's own. */
const FAILURE_WORDS: Record<JobErrorCode, string> = {
  bad_config: 'The trainer refused the configuration',
  data: 'The dataset could not be trained on',
  dataset_missing: 'The file of the dataset is gone',
  dataset_changed: 'The file of the dataset has changed',
  model_not_found: 'The base model was not found',
  gated_model: 'The base model needs its licence accepted',
  out_of_memory: 'The run needed more memory than there is',
  nan_loss: 'The loss stopped being a number',
  disk_full: 'The disk is full',
  interrupted: 'The run was interrupted',
  internal: 'The trainer ended by a fault of its own',
  killed: 'The trainer was killed from outside',
  hang: 'The run stood still',
  gpu_lost: 'The GPU stopped answering',
  contact_lost: 'Contact with the run was lost',
  launch_failed: 'The trainer could not be started',
  model_not_fetched: 'The base model could not be fetched',
  runtime_limit: 'The run reached its time limit',
};

export function failureTitle(code: string): string {
  return FAILURE_WORDS[code as JobErrorCode] ?? 'The run failed';
}

/** The newest value of one metric on the job's row. */
export function metric(job: TrainingJob, name: string): number | null {
  return job.current_metrics[name] ?? null;
}

/** What stands where the log is, while the trainer has written none. */
export function noLogWords(job: TrainingJob): string {
  if (job.attempt === 0) {
    if (isTerminal(job.status)) return 'No trainer was started for this job, so there is no log.';
    return `${stageWords(job)}. The log begins when the trainer is started.`;
  }
  if (isTerminal(job.status)) return 'The trainer ended without having written a line.';
  return 'The trainer has not written a line yet.';
}
