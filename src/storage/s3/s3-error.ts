import { AppError } from '#/domain/app-error.ts';
import { asStorageError, errnoOf } from '../disk-error.ts';

/** What servers say when there is no room, or a bucket takes no file as large. */
const FULL = new Set(['XMinioStorageFull', 'InsufficientStorage', 'QuotaExceeded', 'EntityTooLarge']);
/** A connection that ended while bytes came. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);
const RETRY_AFTER_S = 5;

/** An error that a request to the server ended with: its library marks each with what it knows of the answer. */
interface Asked extends Error {
  $metadata: { httpStatusCode?: number; requestId?: string };
}

function isAsked(error: unknown): error is Asked {
  return error instanceof Error && typeof (error as Partial<Asked>).$metadata === 'object';
}

/** The server's own word for what went wrong, such as NoSuchBucket. */
export function s3Code(error: unknown): string | null {
  return isAsked(error) ? error.name : null;
}

/** The status of the answer; null when there was none. */
export function s3Status(error: unknown): number | null {
  return isAsked(error) ? (error.$metadata.httpStatusCode ?? null) : null;
}

/**
 * Whether an S3 server gave the answer: its errors are XML with a code. What its library cannot read is the page of
 * another program, or of a wrong path; it then names the status alone (`UnknownError`) or nothing (`Error`).
 */
export function isFromS3(error: unknown): boolean {
  return isAsked(error) && error.message !== 'UnknownError' && error.name !== 'Error' && error.name !== 'SyntaxError';
}

/** An S3 server's error in our words, a disk's too; anything else as it is. */
export function asS3Error(error: unknown): unknown {
  if (error instanceof AppError || (error instanceof Error && error.name === 'AbortError')) return error;
  if (isAsked(error)) return withCause(judge(error), error);
  if (BROKEN.has(errnoOf(error) ?? '')) return withCause(noAnswer(), error as Error);
  return asStorageError(error);
}

function judge(error: Asked): AppError {
  const status = s3Status(error);
  if (error.name === 'NoSuchKey') return new AppError('not_found', 'No such file');
  if (FULL.has(error.name) || status === 507)
    return new AppError('storage_full', 'The storage of this installation has no room for it; free space, then try again');
  if (status === null || status >= 500 || status === 408 || status === 429) return noAnswer();
  const message = isFromS3(error)
    ? `The storage of this installation refuses it (${error.name}); \`lowrank doctor\` says what to do`
    : `The storage of this installation is not set up right: no S3 server answers at its address (status ${status}); \`lowrank doctor\` says what to do`;
  return new AppError('storage_unavailable', message, [], RETRY_AFTER_S);
}

function noAnswer(): AppError {
  const message = 'The storage of this installation does not answer right now: try again in a while';
  return new AppError('storage_unavailable', message, [], RETRY_AFTER_S);
}

/** The cause goes into logs: what a server sends back in its error may hold what was signed, so it is only named. */
function withCause(told: AppError, error: Error): AppError {
  const status = s3Status(error);
  const errors = error instanceof AggregateError ? error.errors.map(String).join('; ') : '';
  const words = status === null || isFromS3(error) ? error.message || errors : 'the answer is not an S3 server’s';
  told.cause = new Error(`${error.name}${status === null ? '' : ` (status ${status})`}: ${words}`);
  return told;
}
