import type { Preflight } from './preflight.ts';

/** The closed list of codes that a verb may throw; `http/error-response.ts` turns each into a status. */
export const APP_ERROR_CODES = [
  'invalid_request',
  'invalid_json',
  'ambiguous_credentials',
  'unauthenticated',
  'invalid_credentials',
  'forbidden',
  'insufficient_scope',
  'session_required',
  'origin_not_allowed',
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'misdirected_request',
  'headers_too_large',
  'expectation_failed',
  'conflict',
  'limit_reached',
  'idempotency_key_reused',
  'idempotency_in_progress',
  'already_initialised',
  'not_ready',
  'dataset_not_ready',
  'dataset_not_training_ready',
  'base_model_required',
  'base_model_not_ready',
  'training_image_not_ready',
  'not_trainable',
  'preflight_failed',
  'launch_failed',
  'job_already_final',
  'job_not_final',
  'transfer_already_final',
  'payload_too_large',
  'quota_exceeded',
  'storage_full',
  'unsupported_media_type',
  'range_not_satisfiable',
  'rate_limited',
  'invitation_required',
  'database_unavailable',
  'storage_unavailable',
  'identity_unavailable',
  'fenced',
  'internal',
] as const;
export type AppErrorCode = (typeof APP_ERROR_CODES)[number];

/** One broken rule: where, what and a stable code. */
export interface Violation {
  path: string;
  message: string;
  code: string;
}

/**
 * What a verb throws when it cannot do what was asked: a code from the closed list, a sentence that says what to do,
 * and one row a broken rule. Its text may reach the caller, so it never holds SQL, host paths or other people's data.
 */
export class AppError extends Error {
  readonly code: AppErrorCode;
  readonly details: Violation[];
  /** Seconds after which trying again is sane, when that is known. */
  readonly retry_after_s: number | undefined;

  constructor(code: AppErrorCode, message: string, details: Violation[] = [], retry_after_s?: number) {
    super(message);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
    this.retry_after_s = retry_after_s;
  }
}

/** What is left of a bucket of requests in the minute that runs. */
export interface Allowance {
  max: number;
  remaining: number;
  /** Seconds until the bucket is full again. */
  reset_s: number;
}

/** A request whose bucket is empty: the answer says how large that is, and when there is more. */
export class RateLimited extends AppError {
  readonly allowance: Allowance;

  constructor(refusal: string, max: number, reset_s: number) {
    super('rate_limited', `${refusal}: ${max} a minute. Wait ${reset_s} s`, [], reset_s);
    this.allowance = { max, remaining: 0, reset_s };
  }
}

/** A job that is stored, and failed before its submission was answered: the caller is told which one, and why. */
export class LaunchFailed extends AppError {
  readonly job_id: string;

  constructor(job_id: string, message: string, details: Violation[]) {
    super('launch_failed', message, details);
    this.job_id = job_id;
  }
}

/** A submission that its preflight speaks against: the caller is told the whole judgement. */
export class PreflightFailed extends AppError {
  readonly judgement: Preflight;

  constructor(judgement: Preflight) {
    super(
      'preflight_failed',
      `This cannot be trained: ${judgement.errors.map((error) => error.replace(/^ERROR: /, '')).join(' ')}`,
      judgement.errors.map((message) => ({ path: 'body', message: message.replace(/^ERROR: /, ''), code: 'preflight' })),
    );
    this.judgement = judgement;
  }
}
