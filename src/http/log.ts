import pino, { type DestinationStream, type Logger } from 'pino';
import { describeError } from '#/domain/describe-error.ts';

/** The web process's log: JSON lines on standard error, so that standard output stays for the line that says we are ready. */
export function makeLog(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino(
    {
      level,
      base: { process: 'web' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error) },
    },
    destination,
  );
}
