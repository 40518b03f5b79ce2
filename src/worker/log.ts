import pino from 'pino';
import { env } from '#/env.ts';

/** An error for the log: whole, but for the values that Drizzle writes into its message: they are users' content. */
function describe(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error).slice(0, 500) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message.replace(/\nparams: [\s\S]*$/, ''),
    ...(typeof code === 'string' && { code }),
    stack: (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')),
    ...(error.cause !== undefined && depth < 4 && { cause: describe(error.cause, depth + 1) }),
  };
}

// Whoever started us reads this; when it is gone, the worker's log is lost and its runs are not.
const destination = pino.destination(2);
destination.on('error', () => undefined);

/** The worker's log: JSON lines on standard error. Ids only, never a user's content. */
export const log = pino(
  {
    level: env.LOG_LEVEL,
    base: { process: 'worker' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: unknown) => describe(error) },
  },
  destination,
);
