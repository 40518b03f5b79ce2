import { ApiError } from './api.ts';

/** The sentence for one field of a refused request, or undefined where that field is not at fault. */
export function violation(error: Error | null, path: string): string | undefined {
  return error instanceof ApiError ? error.violation(path) : undefined;
}
