import type { JobErrorCode, JobFailure } from './job-state.ts';
import { bareFailure } from './run-verdict.ts';

/** Codes by which a fetch fails, as a job that waited for it has them. All others tell of a model that is not of our kind. */
const CODES: Record<string, JobErrorCode> = {
  model_not_found: 'model_not_found',
  gated_model: 'gated_model',
  disk_full: 'disk_full',
  cancelled: 'model_not_fetched',
  too_large: 'model_not_fetched',
  address_refused: 'model_not_fetched',
  hub_unreachable: 'model_not_fetched',
  checksum_mismatch: 'model_not_fetched',
  internal: 'model_not_fetched',
};

const HINTS: Partial<Record<JobErrorCode, string>> = {
  model_not_found: 'Check the owner, the name and the revision of the base model on the Hub, and submit again.',
  gated_model: 'Ask for access to the base model on its page, set HF_TOKEN for the worker, and submit again.',
  disk_full: 'Free space on the disk of this installation and submit again.',
  bad_config: 'Submit again with another base model.',
};

/** Why a job is over that waited for a base model which cannot be had, or cannot be trained now that it is there. */
export function modelFailure(model: {
  name: string;
  status: string;
  status_reason: { code: string; message: string } | null;
}): JobFailure {
  const { name, status, status_reason } = model;
  if (status === 'ready') {
    const reason = status_reason?.message ?? 'its architecture is not one that we train';
    return failure('bad_config', `Base model ${name} cannot be trained: ${reason}`);
  }
  if (status_reason === null) return failure('model_not_found', `Base model ${name} was deleted before it was there`);
  return failure(CODES[status_reason.code] ?? 'bad_config', `Base model ${name} could not be fetched: ${status_reason.message}`);
}

function failure(code: JobErrorCode, message: string): JobFailure {
  const bare = bareFailure(code, message.endsWith('.') ? message : `${message}.`);
  return { ...bare, hint: HINTS[code] ?? bare.hint };
}
