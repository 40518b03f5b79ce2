import { ApiError } from './api.ts';

/** The sentence for one field of a refused request, or undefined where that field is not at fault. */
export function violation(error: Error | null, path: string): string | undefined {
  return error instanceof ApiError ? error.violation(path) : undefined;
}

/** The error's own sentence, or null where every rule that it names is told at one of these fields already. */
export function unplaced(error: Error | null, fields: readonly string[]): string | null {
  if (error === null) return null;
  const rows = error instanceof ApiError ? error.violations : [];
  return rows.length > 0 && rows.every(({ path }) => fields.includes(path)) ? null : error.message;
}
