/** Which status each code of the closed list is answered with, and which of them every route can answer. */
import type { AppErrorCode } from '#/domain/app-error.ts';

/** Every status with which requests are refused. */
export type FaultStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 408
  | 409
  | 413
  | 415
  | 416
  | 417
  | 421
  | 422
  | 429
  | 431
  | 500
  | 503
  | 507;

export const STATUS_OF: Record<AppErrorCode, FaultStatus> = {
  invalid_request: 400,
  invalid_json: 400,
  ambiguous_credentials: 400,
  unauthenticated: 401,
  invalid_credentials: 401,
  forbidden: 403,
  insufficient_scope: 403,
  session_required: 403,
  origin_not_allowed: 403,
  invitation_required: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  limit_reached: 409,
  already_initialised: 409,
  idempotency_key_reused: 409,
  idempotency_in_progress: 409,
  not_ready: 409,
  dataset_not_ready: 409,
  dataset_not_training_ready: 409,
  base_model_not_ready: 409,
  training_image_not_ready: 409,
  job_already_final: 409,
  job_not_final: 409,
  transfer_already_final: 409,
  fenced: 409,
  payload_too_large: 413,
  quota_exceeded: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  expectation_failed: 417,
  misdirected_request: 421,
  base_model_required: 422,
  not_trainable: 422,
  preflight_failed: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal: 500,
  launch_failed: 500,
  database_unavailable: 503,
  storage_unavailable: 503,
  identity_unavailable: 503,
  storage_full: 507,
};

/** What a status means where a route names the status alone: its other codes are named where they can occur. */
const ALONE: Partial<Record<FaultStatus, AppErrorCode>> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'payload_too_large',
  422: 'not_trainable',
  500: 'internal',
};

/** The code that a fault stands for: itself, or the plain one of its status. */
export function codeOfFault(fault: FaultStatus | AppErrorCode): AppErrorCode {
  if (typeof fault === 'string') return fault;
  const named = ALONE[fault] ?? (Object.keys(STATUS_OF) as AppErrorCode[]).find((code) => STATUS_OF[code] === fault);
  if (named === undefined) throw new Error(`no code is answered with ${fault}`);
  return named;
}

/** Door B's paths have `details` as one string and the rows in `violations`. */
export const isDoorB = (path: string): boolean => path === '/api/jobs' || path.startsWith('/api/jobs/');
