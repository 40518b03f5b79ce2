import { AppError } from '#/domain/app-error.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR']);

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A disk's error in our words; anything else as it is. */
export function asStorageError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const errno = errnoOf(error) ?? '';
  if (FULL.has(errno)) return withCause(storageFull(), error);
  if (ABSENT.has(errno)) return withCause(new AppError('not_found', 'No such file'), error);
  return error;
}

/** True for what a missing file, a link in its place or a folder in its place gives. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(errnoOf(error) ?? '');
}

export function storageFull(): AppError {
  return new AppError('storage_full', 'The disk of this installation is full; free space, then try again');
}

function withCause(error: AppError, cause: unknown): AppError {
  error.cause = cause;
  return error;
}
