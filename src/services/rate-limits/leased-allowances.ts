import type { Allowance } from '#/domain/app-error.ts';
import { inSeconds, rateLimited, takeFromBucket } from './take-allowance.ts';

/** Taken out of the database at once, unless it is said otherwise: a minute of 600 reads is 20 writes instead of 600. */
export const LEASED_AT_ONCE = 30;
/** Buckets known at a time; whoever is forgotten asks the database again. */
const LEASES_MAX = 10_000;

interface Lease {
  /** Of those taken, what this process has not given away. */
  left: number;
  /** What the bucket still had when they were taken. */
  in_bucket: number;
  /** By `performance.now()`: the minute is over, and what is left with it. */
  ends_at: number;
}

/** One process's part of the buckets that all of them share. */
export interface LeasedAllowances {
  /** Takes one of `max` a minute. Throws `rate_limited` with its wait. */
  take(bucket: string, max: number, refusal: string): Promise<Allowance>;
  /** Gives up what was taken and not used: for tests, who begin new minutes. */
  forget(): void;
}

/**
 * Counts requests that are too many and too cheap for a write each: a process takes `at_once` of a bucket and gives
 * them away from memory.
 *
 * Exactness: never more than `max` a minute over all processes, for each takes from the one count in the database; one
 * process alone gives away exactly `max`. What a process has taken and nobody asked it for is lost with the minute, so that
 * with n processes a user whose requests stop reaching n − 1 of them may be refused up to (at_once − 1) × (n − 1) requests early. An
 * empty bucket is remembered: refusals cost the database nothing.
 */
export function leasedAllowances(at_once = LEASED_AT_ONCE): LeasedAllowances {
  const leases = new Map<string, Lease>();
  const asked = new Map<string, Promise<void>>();

  async function lease(bucket: string, max: number): Promise<void> {
    const before = performance.now();
    const { granted, remaining, reset_ms } = await takeFromBucket(bucket, max, at_once);
    if (leases.size >= LEASES_MAX) makeRoom(leases);
    // From before the question: rather a little early than in somebody's next minute.
    leases.set(bucket, { left: granted, in_bucket: remaining, ends_at: before + reset_ms });
  }

  /** One question at a time for a bucket, however many wait for its answer. */
  function ask(bucket: string, max: number): Promise<void> {
    let answer = asked.get(bucket);
    if (answer === undefined) {
      answer = lease(bucket, max).finally(() => asked.delete(bucket));
      asked.set(bucket, answer);
    }
    return answer;
  }

  return {
    async take(bucket, max, refusal) {
      for (;;) {
        const held = leases.get(bucket);
        const ms = held === undefined ? 0 : held.ends_at - performance.now();
        if (held !== undefined && ms > 0) {
          if (held.left > 0) {
            held.left -= 1;
            return { max, remaining: held.left + held.in_bucket, reset_s: inSeconds(ms) };
          }
          if (held.in_bucket === 0) throw rateLimited(refusal, max, ms);
        }
        await ask(bucket, max);
      }
    },
    forget: () => leases.clear(),
  };
}

function makeRoom(leases: Map<string, Lease>): void {
  const now = performance.now();
  for (const [bucket, { ends_at }] of leases) if (ends_at <= now) leases.delete(bucket);
  if (leases.size >= LEASES_MAX) leases.clear();
}
