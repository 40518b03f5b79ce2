/** What each code is answered with, by an example. */
import type { AppErrorCode, Violation } from '#/domain/app-error.ts';
import { isDoorB } from './fault-codes.ts';

const REQUEST_ID = 'req_8b69fe8c-9849-43e1-9ccd-1ba1903c060b';

/** A sentence of each code, and its rows where it has some. */
const SENTENCES: Record<AppErrorCode, string | Violation> = {
  invalid_request: { path: 'name', message: 'must have at most 120 characters', code: 'too_big' },
  invalid_json: 'The body is not valid JSON: see line 1, column 12',
  ambiguous_credentials: 'The cookie and the API key belong to two people: send only one of them',
  unauthenticated: 'Sign in, or send an API key as Authorization: Bearer lowrank_…',
  invalid_credentials: 'E-mail or password is wrong',
  forbidden: 'This is for administrators, or for whoever made it',
  insufficient_scope: 'This API key may not write: use one with the scope write',
  session_required: 'No API key may do this: sign in to the studio in a browser and do it there',
  origin_not_allowed: 'This comes from the page of another site: use the studio’s own address',
  invitation_required: 'This studio is joined by invitation: ask an administrator for one',
  not_found: 'There is no such thing among yours',
  method_not_allowed: 'This path takes GET, POST, HEAD',
  request_timeout: 'The body did not arrive in time: send it again',
  misdirected_request: 'This studio does not answer for that Host: see ALLOWED_HOSTS',
  headers_too_large: 'The request’s headers are larger than 16 kB',
  expectation_failed: 'Expect takes 100-continue and nothing else',
  conflict: 'It stands in a state in which this cannot be done',
  limit_reached: 'You have 200 projects, the most that a person may have: delete one that you do not need',
  idempotency_key_reused: 'This Idempotency-Key was sent with another body: use a new one',
  idempotency_in_progress: 'The first request with this Idempotency-Key still runs: ask again in a second',
  already_initialised: 'This studio has its owner: sign in',
  not_ready: 'It is not ready: look again when its check is done',
  dataset_not_ready: 'Dataset Questions is still validating: wait until its status is ready',
  dataset_not_training_ready: 'Dataset Questions has no rows to train on: see its report',
  base_model_required: 'No base model is named, and there is no default one: send base_model_id',
  training_image_not_ready: 'Training image Ours is not ready: it is still being checked; try again in a minute',
  base_model_not_ready: 'Base model SmolLM-135M is still being fetched: wait until its status is ready',
  not_trainable: 'Base model SmolLM-135M cannot be trained on this dataset',
  preflight_failed: 'This cannot be trained: the dataset has not passed its check.',
  launch_failed: 'The training was stored, but its trainer could not be started',
  job_already_final: 'This job is over',
  job_not_final: 'This job is not over: cancel it first',
  transfer_already_final: 'This transfer is over',
  payload_too_large: 'The body is larger than the 256 kB that JSON may have here',
  quota_exceeded: 'More than your quota leaves: delete what you do not need',
  storage_full: 'The disk of this installation is full',
  unsupported_media_type: 'Send JSON with Content-Type: application/json',
  range_not_satisfiable: 'The range lies outside of the file',
  rate_limited: 'Too many requests: wait 12 seconds',
  database_unavailable: 'The database does not answer: try again in a few seconds',
  storage_unavailable: 'The storage does not answer: try again in a few seconds',
  identity_unavailable: 'Whoever signs the access tokens does not answer: try again in a few seconds',
  fenced: 'Another worker holds this job by now',
  internal: 'Something failed on our side; the log has it under this request_id',
};

/** The error envelope of a code as the route at `path` sends it. */
export function faultExample(code: AppErrorCode, path: string): Record<string, unknown> {
  const told = SENTENCES[code];
  const rows = typeof told === 'string' ? [] : [told];
  const message = typeof told === 'string' ? told : `${told.path} ${told.message}`;
  return {
    error: message,
    message,
    code,
    details: isDoorB(path) ? message : rows,
    ...(isDoorB(path) && { violations: rows }),
    ...(code === 'launch_failed' && { job_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11' }),
    request_id: REQUEST_ID,
  };
}
