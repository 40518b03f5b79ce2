import { and, eq, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { GB } from '#/domain/bytes.ts';
import type { RunExit } from '#/domain/run-exit.ts';
import { ESTIMATE_CONSTANTS } from '#/domain/training-estimate.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';

/**
 * Makes the cost records of jobs what their runs say, each month's part in that month (UTC), and their `current_cost` the
 * records' sum. Nothing is added up: however often it is done, and whoever was killed in between, the result is the same.
 */
async function billJobs(tx: Tx, job_ids: string[]): Promise<void> {
  const jobs = sql`${sql.param(job_ids)}::uuid[]`;
  const began = sql.raw(`r.started_at AT TIME ZONE 'UTC'`);
  const ended = sql.raw(`(r.started_at + make_interval(secs => r.metered_s::float8)) AT TIME ZONE 'UTC'`);
  await tx.execute(sql`
    WITH spans AS (
      SELECT r.job_id, r.user_id, ${began} AS began, ${ended} AS ended
      FROM lowrank.job_runs r WHERE r.job_id = ANY (${jobs}) AND r.metered_s > 0
    ), months AS (
      SELECT s.job_id, s.user_id, opens::date AS billing_period,
        round(sum(extract(epoch FROM least(s.ended, opens + interval '1 month') - greatest(s.began, opens))) / 3600, 6) AS hours
      FROM spans s CROSS JOIN generate_series(date_trunc('month', s.began), s.ended, interval '1 month') AS opens
      GROUP BY 1, 2, 3
    )
    INSERT INTO lowrank.cost_records AS c (job_id, user_id, type, billing_period, unit_price, quantity, amount)
    SELECT m.job_id, m.user_id, 'compute', m.billing_period, j.hourly_rate, m.hours, round(m.hours * j.hourly_rate, 2)
    FROM months m JOIN lowrank.training_jobs j ON j.id = m.job_id WHERE m.hours > 0
    ON CONFLICT (job_id, type, billing_period) DO UPDATE SET quantity = excluded.quantity, amount = excluded.amount
      WHERE c.quantity <> excluded.quantity`);
  // A run that was measured a little shorter than it looked may not reach into the last month after all.
  await tx.execute(sql`
    DELETE FROM lowrank.cost_records c WHERE c.job_id = ANY (${jobs}) AND c.type = 'compute' AND NOT EXISTS (
      SELECT FROM lowrank.job_runs r WHERE r.job_id = c.job_id AND r.metered_s > 0
        AND ${began} < c.billing_period + interval '1 month' AND ${ended} > c.billing_period)`);
  await tx.execute(sql`
    UPDATE lowrank.training_jobs j SET current_cost = b.cost
    FROM (SELECT job_id, sum(amount) AS cost FROM lowrank.cost_records WHERE job_id = ANY (${jobs}) GROUP BY job_id) b
    WHERE j.id = b.job_id AND j.current_cost <> b.cost`);
}

const sinceItBegan = sql.raw(`round(extract(epoch FROM clock_timestamp() - started_at), 3)`);

/** Meters every run that trains on this worker, as far as it has come. Safe to miss, and to do twice. */
export function meterRuns(worker_id: string): Promise<void> {
  return asScheduler(async (tx) => {
    // A job whose run is being written is left out: the next sweep finds it.
    const running = await tx.execute<{ id: string }>(sql`
      SELECT id FROM lowrank.training_jobs WHERE worker_id = ${worker_id} AND status = 'running'
      ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`);
    const ids = running.rows.map((row) => row.id);
    if (ids.length === 0) return;
    await tx.execute(sql`
      UPDATE lowrank.job_runs SET metered_s = greatest(metered_s, ${sinceItBegan})
      WHERE job_id = ANY (${sql.param(ids)}::uuid[]) AND handle IS NOT NULL AND ended_at IS NULL`);
    await billJobs(tx, ids);
  });
}

/**
 * Settles what a run costs, in the transaction that ends it and before its job moves: the time that its owner measured, or
 * what was metered while it was seen. One that never trained costs nothing. Call it with the job locked.
 */
export async function billRun(tx: Tx, run: RunKey, exit: RunExit | null): Promise<void> {
  if (exit !== null) {
    const metered_s = exit.ran_ms === null ? sql`greatest(metered_s, ${sinceItBegan})` : sql`${exit.ran_ms}::numeric / 1000`;
    await tx
      .update(jobRuns)
      .set({ metered_s: metered_s as unknown as string })
      .where(and(eq(jobRuns.job_id, run.job_id), eq(jobRuns.attempt, run.attempt), sql`handle IS NOT NULL`));
  }
  await billJobs(tx, [run.job_id]);
}

/** What a completed training leaves to be kept, once: its dataset and its artifact. Call it before `billRun`. */
export async function billStorage(tx: Tx, job_id: string, artifact_bytes: number): Promise<void> {
  const gb = sql`round((${datasets.file_size} + ${artifact_bytes})::numeric / ${GB}, 6)`;
  const price = sql`${ESTIMATE_CONSTANTS.storage_usd_per_gb}::numeric`;
  await tx.execute(sql`
    INSERT INTO lowrank.cost_records (job_id, user_id, type, billing_period, unit_price, quantity, amount)
    SELECT ${trainingJobs.id}, ${trainingJobs.user_id}, 'storage', date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date,
      ${price}, ${gb}, round(${gb} * ${price}, 2)
    FROM ${trainingJobs} JOIN ${datasets} ON ${datasets.id} = ${trainingJobs.dataset_id} WHERE ${trainingJobs.id} = ${job_id}`);
}
