import { sql } from 'drizzle-orm';
import { asIdentity } from '#/db/tenancy.ts';
import { type Allowance, RateLimited } from '#/domain/app-error.ts';

const WINDOW_S = 60;

/** Hears what is left of a bucket of which a verb took, for the answer's headers. */
export type NoteAllowance = (allowance: Allowance) => void;
export const unheard: NoteAllowance = () => undefined;

/** What was taken out of a bucket, and how it stands since. */
export interface Taken {
  granted: number;
  remaining: number;
  /** Milliseconds until the bucket is full again. */
  reset_ms: number;
}

/**
 * Takes up to `wanted` of `max` a minute out of a bucket. The count lives in the database: restarts and further web
 * processes share it. Getting nothing does not lengthen the wait.
 */
export async function takeFromBucket(bucket: string, max: number, wanted: number): Promise<Taken> {
  const more = sql`${wanted}::integer`;
  const { used, reset_ms } = await asIdentity(async (tx) => {
    // What is wanted beyond `max` is counted, up to once, so that the new count alone says how much was left.
    const { rows } = await tx.execute<{ used: number; reset_ms: number }>(sql`
      INSERT INTO lowrank.rate_limits AS r (bucket, window_started_at, used) VALUES (${bucket}, clock_timestamp(), ${more})
      ON CONFLICT (bucket) DO UPDATE SET
        used = CASE WHEN r.window_started_at <= clock_timestamp() - make_interval(secs => ${WINDOW_S}) THEN ${more}
          ELSE least(r.used + ${more}, ${max}::integer + ${more}) END,
        window_started_at = CASE WHEN r.window_started_at <= clock_timestamp() - make_interval(secs => ${WINDOW_S})
          THEN clock_timestamp() ELSE r.window_started_at END
      RETURNING used,
        greatest(1, (extract(epoch FROM window_started_at - clock_timestamp()) + ${WINDOW_S}) * 1000)::float8 AS reset_ms`);
    const row = rows[0];
    if (row === undefined) throw new Error('the upsert of a bucket returned no row');
    if (row.used === wanted) {
      await tx.execute(sql`DELETE FROM lowrank.rate_limits WHERE window_started_at < clock_timestamp() - interval '1 hour'`);
    }
    return row;
  });
  return { granted: Math.max(0, Math.min(wanted, max - used + wanted)), remaining: Math.max(0, max - used), reset_ms };
}

/** The refusal of a request whose bucket is empty. */
export function rateLimited(refusal: string, max: number, reset_ms: number): RateLimited {
  return new RateLimited(refusal, max, inSeconds(reset_ms));
}

export const inSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

/** Takes one of `max` a minute out of a bucket. Throws `rate_limited` with its wait. */
export async function takeAllowance(bucket: string, max: number, refusal: string): Promise<Allowance> {
  const { granted, remaining, reset_ms } = await takeFromBucket(bucket, max, 1);
  if (granted === 0) throw rateLimited(refusal, max, reset_ms);
  return { max, remaining, reset_s: inSeconds(reset_ms) };
}

/** Gives one that was taken back to its bucket: what it was taken for did not come to pass. */
export async function giveBack(bucket: string): Promise<void> {
  await asIdentity((tx) => tx.execute(sql`UPDATE lowrank.rate_limits SET used = used - 1 WHERE bucket = ${bucket} AND used > 0`));
}
