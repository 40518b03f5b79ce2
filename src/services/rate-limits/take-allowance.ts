import { sql } from 'drizzle-orm';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

const WINDOW_S = 60;

/** What is left of a bucket in the minute that runs. */
export interface Allowance {
  max: number;
  remaining: number;
  /** Seconds until the bucket is full again. */
  reset_s: number;
}

/**
 * Takes one of `max` a minute out of a bucket. The count lives in the database: restarts and further web processes share it.
 * A refusal does not lengthen the wait. Throws `rate_limited` with its wait.
 */
export async function takeAllowance(bucket: string, max: number, refusal: string): Promise<Allowance> {
  const { used, reset_s } = await asIdentity(async (tx) => {
    const { rows } = await tx.execute<{ used: number; reset_s: number }>(sql`
      INSERT INTO lowrank.rate_limits AS r (bucket, window_started_at, used) VALUES (${bucket}, clock_timestamp(), 1)
      ON CONFLICT (bucket) DO UPDATE SET
        used = CASE WHEN r.window_started_at <= clock_timestamp() - make_interval(secs => ${WINDOW_S}) THEN 1
          ELSE least(r.used + 1, ${max} + 1) END,
        window_started_at = CASE WHEN r.window_started_at <= clock_timestamp() - make_interval(secs => ${WINDOW_S})
          THEN clock_timestamp() ELSE r.window_started_at END
      RETURNING used, greatest(1, ceil(extract(epoch FROM window_started_at - clock_timestamp()) + ${WINDOW_S}))::integer AS reset_s`);
    const row = rows[0];
    if (row === undefined) throw new Error('the upsert of a bucket returned no row');
    if (row.used === 1) {
      await tx.execute(sql`DELETE FROM lowrank.rate_limits WHERE window_started_at < clock_timestamp() - interval '1 hour'`);
    }
    return row;
  });
  if (used > max) throw new AppError('rate_limited', `${refusal}: ${max} a minute. Wait ${reset_s} s`, [], reset_s);
  return { max, remaining: max - used, reset_s };
}
