import * as z from 'zod';

const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day from 00:00 to 23:59, with two digits each')
  .describe('A time of day, on the clocks of the time zone');

/** If the name is one of the IANA time zones that this computer knows. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    // Offsets are taken by Intl, too; a database reads them the other way round.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

/**
 * Hours of a day in which no training is started; what runs goes on. An end that is not after the beginning is on the next day, and
 * the day of the beginning counts.
 */
export const QuietHours = z.strictObject({
  begin: clock,
  end: clock,
  time_zone: z
    .string()
    .max(60)
    .refine(isTimeZone, 'must be a time zone by its IANA name, for example Europe/Berlin')
    .describe('By its IANA name'),
  weekdays: z
    .array(z.int().min(1).max(7))
    .min(1)
    .max(7)
    .refine((days) => new Set(days).size === days.length, 'must not name a day twice')
    .describe('Days on which they begin: 1 is Monday, 7 is Sunday'),
});
export type QuietHours = z.infer<typeof QuietHours>;
