import { STATUS_CODES } from 'node:http';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import { isDoorB, STATUS_OF } from '#/contract/fault-codes.ts';
import { AppError, LaunchFailed, PreflightFailed, RateLimited } from '#/domain/app-error.ts';
import { allowanceHeaders } from './rate-limit.ts';
import { inWords } from './violations.ts';

/** What an error body needs to know of its request. */
export interface RefusedRequest {
  path: string;
  /** At door C's side of a path that two doors share. */
  wizard?: boolean | undefined;
  request_id: string;
  log: Logger;
}

/** Any error as one that may be told: what is not ours to tell is logged whole and answered blandly. */
function tellable(error: unknown, request: RefusedRequest): AppError {
  if (error instanceof AppError) {
    if (STATUS_OF[error.code] >= 500) request.log.error({ err: error }, error.code);
    return error;
  }
  if (error instanceof HTTPException) {
    if (error.status === 415) return new AppError('unsupported_media_type', 'This endpoint does not take that Content-Type');
    if (error.status < 500) return new AppError('invalid_request', error.message || 'The request cannot be read');
  }
  request.log.error({ err: error }, 'unknown error');
  return new AppError('internal', 'Something failed on our side; the log has it under this request_id');
}

function headersOf(error: AppError): Record<string, string> {
  const status = STATUS_OF[error.code];
  const wait_s = error.retry_after_s ?? (status === 503 ? 5 : undefined);
  return {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="lowrank"' }),
    ...(wait_s !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(wait_s))) }),
    ...(error instanceof RateLimited && Object.fromEntries(allowanceHeaders(error.allowance))),
  };
}

function bodyOf(error: AppError, door_b: boolean, request_id: string): string {
  const { code, message, details } = error;
  const sentence = details.length === 0 ? message : details.map(inWords).join('; ');
  return JSON.stringify({
    error: message,
    message,
    code,
    details: door_b ? sentence : details,
    ...(door_b && { violations: details }),
    ...(error instanceof LaunchFailed && { job_id: error.job_id }),
    ...(error instanceof PreflightFailed && error.judgement),
    request_id,
  });
}

/** The one writer of error answers. `headers` adds to them, e.g. Allow. */
export function errorResponse(error: unknown, request: RefusedRequest, headers: Record<string, string> = {}): Response {
  const told = tellable(error, request);
  return new Response(bodyOf(told, isDoorB(request.path) && request.wizard !== true, request.request_id), {
    status: STATUS_OF[told.code],
    headers: { ...headersOf(told), 'x-request-id': request.request_id, ...headers },
  });
}

/** The same for a request that never became one (broken head, too slow): a whole answer for the bare socket. `more` adds headers. */
export function rawErrorAnswer(error: AppError, request_id: string, more: Record<string, string>): string {
  const status = STATUS_OF[error.code];
  const body = bodyOf(error, false, request_id);
  const headers = {
    ...headersOf(error),
    ...more,
    'x-request-id': request_id,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`;
}
