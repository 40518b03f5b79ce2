/** Errors as every process logs them: whole, but without secrets and without people's content. */

/** What a secret looks like wherever it turns up: our keys and tokens, the Hub's, bearer headers, passwords in addresses. */
const SECRETS: [RegExp, string][] = [
  [/lowrank_[0-9A-Za-z]{8,}/g, 'lowrank_[redacted]'],
  [/\bhf_[0-9A-Za-z]{8,}/g, 'hf_[redacted]'],
  [/\b(Bearer|Basic)\s+[^\s"',]+/gi, '$1 [redacted]'],
  [/(lowrank\.session=)[^;\s"]+/g, '$1[redacted]'],
  [/(\w+:\/\/[^:/\s]+:)[^@\s]+@/g, '$1[redacted]@'],
];

/** The text without what may be a secret in it. */
export function redact(text: string): string {
  return SECRETS.reduce((clean, [pattern, words]) => clean.replace(pattern, words), text);
}

export interface LoggedError {
  type: string;
  message: string;
  code?: string;
  constraint?: string;
  stack: string[];
  cause?: LoggedError;
}

const OTHER_CHARACTERS_MAX = 500;
const CAUSES_MAX = 4;

/**
 * An error for the log: whole, but for values. Drizzle writes a query's parameters into its message and PostgreSQL a row's
 * values into `detail`: both can be passwords' hashes or e-mails, so they stay out.
 */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: redact(String(error)).slice(0, OTHER_CHARACTERS_MAX), stack: [] };
  }
  const message = error.message.replace(/\nparams: [\s\S]*$/, '');
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return {
    type: error.name,
    message: redact(message),
    ...(typeof code === 'string' && { code }),
    ...(typeof constraint === 'string' && { constraint }),
    stack: (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')),
    ...(error.cause !== undefined && depth < CAUSES_MAX && { cause: describeError(error.cause, depth + 1) }),
  };
}
