import { sql } from 'drizzle-orm';
import { asUser, type Tx } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findJob } from './job-row.ts';

/** A point of a job's curve. Losses are means per trained token; memory is MB, speed tokens a second. */
export interface MetricRow {
  attempt: number;
  seq: number;
  step: number;
  epoch: number | null;
  timestamp: Date;
  loss: number | null;
  eval_loss: number | null;
  learning_rate: number | null;
  grad_norm: number | null;
  tokens_per_second: number | null;
  peak_memory_mb: number | null;
}

const COLUMNS = sql.raw(
  'm.attempt, m.seq, m.step, m.epoch, m.timestamp, m.loss, m.eval_loss, m.learning_rate, m.grad_norm, m.tokens_per_second, m.peak_memory_mb',
);

/**
 * The curve of the surviving line of attempts between two steps, ordered by step. Longer than `points`, it is cut into
 * buckets of which the first, last, lowest and highest loss and every evaluation stay, so no peak is lost.
 */
export function readMetrics(
  ctx: Context,
  job_id: string,
  query: { from: number; to?: number | undefined; points: number },
): Promise<{ points: MetricRow[]; total: number }> {
  return asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    const result = await tx.execute<MetricRow & { total: string } & Record<string, unknown>>(sql`
      WITH line AS (
        SELECT ${COLUMNS} FROM lowrank.metrics_points m
        WHERE m.job_id = ${job_id} AND m.step >= ${query.from} AND m.step <= ${query.to ?? 2_147_483_647}
          AND m.step <= coalesce((SELECT min(coalesce(r.resumed_from_step, 0)) FROM lowrank.job_runs r
                                  WHERE r.job_id = m.job_id AND r.attempt > m.attempt), 2147483647)
      ), counted AS (
        SELECT line.*, count(*) OVER () AS total,
               (row_number() OVER (ORDER BY step, attempt, seq) - 1) * greatest(1, ${Math.floor(query.points / 4)}) / count(*) OVER () AS bucket
        FROM line
      ), ranked AS (
        SELECT counted.*,
               row_number() OVER (PARTITION BY bucket ORDER BY step, attempt, seq) AS first,
               row_number() OVER (PARTITION BY bucket ORDER BY step DESC, attempt DESC, seq DESC) AS last,
               row_number() OVER (PARTITION BY bucket ORDER BY loss NULLS LAST) AS lowest,
               row_number() OVER (PARTITION BY bucket ORDER BY loss DESC NULLS LAST) AS highest
        FROM counted
      )
      SELECT attempt, seq, step, epoch, timestamp, loss, eval_loss, learning_rate, grad_norm, tokens_per_second, peak_memory_mb, total
      FROM ranked
      WHERE total <= ${query.points} OR first = 1 OR last = 1 OR lowest = 1 OR highest = 1 OR eval_loss IS NOT NULL
      ORDER BY step, attempt, seq`);
    return { points: result.rows.map(({ total: _, ...point }) => asPoint(point)), total: Number(result.rows[0]?.total ?? 0) };
  });
}

/** Points after a place in the job's own order (attempt, seq), at most `limit`: what a follower has not seen yet. */
export async function metricsAfter(
  tx: Tx,
  job_id: string,
  after: { attempt: number; seq: number },
  limit: number,
): Promise<MetricRow[]> {
  const result = await tx.execute<MetricRow & Record<string, unknown>>(sql`
    SELECT ${COLUMNS} FROM lowrank.metrics_points m
    WHERE m.job_id = ${job_id} AND (m.attempt, m.seq) > (${after.attempt}::smallint, ${after.seq}::integer)
    ORDER BY m.attempt, m.seq LIMIT ${limit}`);
  return result.rows.map(asPoint);
}

// Raw SQL answers timestamps as node-postgres parses them; a string would mean another parser is in force.
function asPoint(row: MetricRow): MetricRow {
  return { ...row, timestamp: new Date(row.timestamp) };
}
