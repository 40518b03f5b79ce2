/** How far the copy of a container's log has come, so that it goes on without a gap and without a line twice. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type LogEntry, nanosOf, sinceOf } from './log-frames.ts';

/** Entries whose likes are counted: far more than are ever alike at one time. */
const KEYS_KEPT = 64;
/** Entries of stdout and stderr may stand a little out of order: so far before the last one it is looked for again. */
const SLACK_NANOS = 1_000_000_000n;

export const LogPlace = z.object({
  /** When the last entry that was copied was read; null before the first. */
  at: z.string().nullable(),
  /** The last entries, each with how many alike were copied; the last one last. */
  seen: z.array(z.tuple([z.string(), z.int()])),
});
export type LogPlace = z.infer<typeof LogPlace>;

export const LOG_START: LogPlace = { at: null, seen: [] };

const keyOf = ({ at, stream, data }: LogEntry): string =>
  `${at} ${stream} ${createHash('sha256').update(data).digest('base64url').slice(0, 16)}`;

/** Counts what is copied. */
export class LogProgress {
  readonly #seen: Map<string, number>;
  #at: string | null;

  constructor({ at, seen }: LogPlace) {
    this.#at = at;
    this.#seen = new Map(seen);
  }

  get place(): LogPlace {
    return { at: this.#at, seen: [...this.#seen] };
  }

  note(entry: LogEntry): void {
    const key = keyOf(entry);
    const count = (this.#seen.get(key) ?? 0) + 1;
    // Put last, whatever stood there.
    this.#seen.delete(key);
    this.#seen.set(key, count);
    this.#at = entry.at;
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > KEYS_KEPT && oldest !== undefined) this.#seen.delete(oldest);
  }
}

/** Where to ask the engine's log to begin so that the place is in it; '' for all of it. */
export function beginOf({ at }: LogPlace): string {
  return at === null ? '' : sinceOf(nanosOf(at) - SLACK_NANOS);
}

/** Lets through what comes after a place in a log that begins before it. */
export class LogResume {
  readonly #last: string | null;
  readonly #last_nanos: bigint;
  #left: number;
  #before: LogEntry[] = [];

  constructor({ at, seen }: LogPlace) {
    const [key, count] = seen.at(-1) ?? [];
    this.#last = at === null || key === undefined ? null : key;
    this.#last_nanos = at === null ? 0n : nanosOf(at);
    this.#left = this.#last === null ? 0 : (count ?? 0);
  }

  /** What of this entry, and of those held back until now, is new; `gap` when the place is not in the log any more. */
  take(entry: LogEntry): { entries: LogEntry[]; gap: boolean } {
    if (this.#left === 0) return { entries: [entry], gap: false };
    if (keyOf(entry) === this.#last) {
      this.#left -= 1;
      this.#before = [];
      return { entries: [], gap: false };
    }
    this.#before.push(entry);
    return nanosOf(entry.at) > this.#last_nanos + SLACK_NANOS ? this.#giveUp() : { entries: [], gap: false };
  }

  /** What was held back, at the end of the log. */
  rest(): { entries: LogEntry[]; gap: boolean } {
    return this.#left === 0 || this.#before.length === 0 ? { entries: [], gap: false } : this.#giveUp();
  }

  #giveUp(): { entries: LogEntry[]; gap: boolean } {
    this.#left = 0;
    const entries = this.#before.filter(({ at }) => nanosOf(at) > this.#last_nanos);
    this.#before = [];
    return { entries, gap: true };
  }
}
