import pino from 'pino';
import { describeError } from '#/domain/describe-error.ts';
import { env } from '#/env.ts';

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
    serializers: { err: (error: unknown) => describeError(error) },
  },
  destination,
);
