import { sql } from 'drizzle-orm';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { METRIC_FIGURES, type MetricFigure } from '#/domain/metric-figures.ts';
import type { Context } from '#/services/context.ts';
import { findJob } from './job-row.ts';

/**
 * A point of a job's curve. Losses are means per trained token; memory is MB, speed tokens and rows a second; `extra` is what
 * else its trainer said of it.
 */
export type MetricRow = {
  attempt: number;
  seq: number;
  step: number;
  epoch: number | null;
  timestamp: Date;
  extra: Record<string, unknown> | null;
} & Record<MetricFigure, number | null>;

const ofEach = (text: (figure: MetricFigure) => string, separator = ', ') => sql.raw(METRIC_FIGURES.map(text).join(separator));

const COLUMNS = sql.raw(
  ['attempt', 'seq', 'step', 'epoch', 'timestamp', 'extra', ...METRIC_FIGURES].map((name) => `m.${name}`).join(', '),
);

/**
 * The curve of the surviving line of attempts between two steps, ordered by step: all of it, or, where it is longer than
 * `points` (CURVE_POINTS_MIN at least), at most so many. Then both ends stay and, of each of as many equal parts as have room,
 * the lowest and the highest of every figure and the first and the last point that is a gap; evaluations stay all where they are
 * a quarter of `points` at most, and are a figure like the others where they are more.
 */
export function readMetrics(
  ctx: Context,
  job_id: string,
  query: { from: number; to?: number | undefined; points: number },
): Promise<{ points: MetricRow[]; total: number }> {
  const points = sql`${query.points}::bigint`;
  return asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    const result = await tx.execute<MetricRow & { total: string }>(sql`
      WITH line AS MATERIALIZED (
        SELECT ${COLUMNS}, row_number() OVER (ORDER BY m.step, m.attempt, m.seq) AS n FROM lowrank.metrics_points m
        WHERE m.job_id = ${job_id} AND m.step >= ${query.from} AND m.step <= ${query.to ?? 2_147_483_647}
          AND NOT EXISTS (SELECT FROM lowrank.job_runs r WHERE r.job_id = ${job_id} AND r.attempt > m.attempt
                          AND coalesce(r.resumed_from_step, 0) < m.step)
      ), sizes AS (
        SELECT count(*) AS total, count(eval_loss) AS evaluations, count(eval_loss) * 4 <= ${points} AS every_evaluation,
               ${ofEach((name) => `(count(${name}) > 0)::integer`, ' + ')} AS figures
        FROM line
      ), cut AS (
        SELECT total, every_evaluation,
               CASE WHEN every_evaluation THEN (${points} - 2 - evaluations) / (2 * (figures - (evaluations > 0)::integer) + 2)
                    ELSE (${points} - 2) / (2 * figures + 2) END AS parts
        FROM sizes
      ), parted AS (
        SELECT n, ${ofEach((name) => name)}, (n - 1) * parts / total AS part,
               (loss IS NULL AND eval_loss IS NULL) OR coalesce(jsonb_exists(extra, 'nonfinite'), false) AS gap
        FROM line CROSS JOIN cut WHERE total > ${points}
      ), edged AS (
        SELECT parted.*, ${ofEach((name) => `min(${name}) OVER w AS lowest_${name}, max(${name}) OVER w AS highest_${name}`)}
        FROM parted WINDOW w AS (PARTITION BY part)
      ), kept AS (
        SELECT unnest(ARRAY[min(n) FILTER (WHERE gap), max(n) FILTER (WHERE gap), ${ofEach(
          (name) => `min(n) FILTER (WHERE ${name} = lowest_${name}), min(n) FILTER (WHERE ${name} = highest_${name})`,
        )}]) AS n
        FROM edged GROUP BY part
      )
      SELECT ${COLUMNS}, total FROM line m CROSS JOIN cut
      WHERE total <= ${points} OR n = 1 OR n = total OR (every_evaluation AND eval_loss IS NOT NULL)
         OR n IN (SELECT n FROM kept WHERE n IS NOT NULL)
      ORDER BY n`);
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
  const result = await tx.execute<MetricRow>(sql`
    SELECT ${COLUMNS} FROM lowrank.metrics_points m
    WHERE m.job_id = ${job_id} AND (m.attempt, m.seq) > (${after.attempt}::smallint, ${after.seq}::integer)
    ORDER BY m.attempt, m.seq LIMIT ${limit}`);
  return result.rows.map(asPoint);
}

/** Where a job's newest point stands in its own order; null when it has none. */
export async function newestPoint(tx: Tx, job_id: string): Promise<{ attempt: number; seq: number } | null> {
  const result = await tx.execute<{ attempt: number; seq: number }>(sql`
    SELECT attempt, seq FROM lowrank.metrics_points WHERE job_id = ${job_id} ORDER BY attempt DESC, seq DESC LIMIT 1`);
  return result.rows[0] ?? null;
}

// Raw SQL answers timestamps as node-postgres parses them; a string would mean another parser is in force.
function asPoint(row: MetricRow): MetricRow {
  return { ...row, timestamp: new Date(row.timestamp) };
}
