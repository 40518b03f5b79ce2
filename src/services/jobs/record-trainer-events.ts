import { and, eq, sql } from 'drizzle-orm';
import { jobEvents, jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { GB } from '#/domain/bytes.ts';
import type { UserWish } from '#/domain/run-exit.ts';
import { type BatchRows, type PointRow, progressPercent, type RunProgress, sortTrainerLines } from '#/domain/run-record.ts';
import { ESTIMATE_CONSTANTS } from '#/domain/training-estimate.ts';
import { holdRun, type RunKey } from './hold-run.ts';
import { noteSamples } from './keep-sample-images.ts';

/** Whole lines of an attempt's events.jsonl, from one byte offset to the next. */
export interface TrainerLines {
  from: number;
  to: number;
  lines: string[];
  /** Lines between the two offsets that were too long to read. */
  oversized: number;
}

export interface RecordedLines {
  /** Where to read on: also when these lines were stored before. */
  offset: number;
  progress: RunProgress;
  wish: UserWish | null;
}

/** From this many events on, a job stores only those that decide something: a flood of warnings must not fill the database. */
const EVENTS_MAX = 20_000;
const DECISIVE = new Set(['error', 'done', 'checkpoint', 'artifact']);
/** What the column holds. */
const USD_MAX = 9_999_999_999.99;
const ETA_SECONDS_MAX = 10 * 365 * 86_400;

/**
 * Stores a batch of trainer lines: points, events, how far the run is and the new offset, in one transaction under the
 * run's epoch. A batch that was stored before is answered, not stored again. Throws `fenced`.
 */
export function recordTrainerEvents(run: RunKey, batch: TrainerLines): Promise<RecordedLines> {
  return asScheduler(async (tx) => {
    const job = await holdRun(tx, run);
    const { wish } = job;
    const of_run = and(eq(jobRuns.job_id, run.job_id), eq(jobRuns.attempt, run.attempt));
    const [stored] = await tx
      .select({ offset: jobRuns.events_offset, seq: jobRuns.events_seq, rejected: jobRuns.events_rejected })
      .from(jobRuns)
      .where(of_run);
    if (stored === undefined) throw new Error(`attempt ${run.attempt} of job ${run.job_id} has no row`);
    // A commit whose answer was lost: what is asked for is already there.
    if (stored.offset !== batch.from) return { offset: stored.offset, progress: sortTrainerLines([], 0).progress, wish };
    const rows = sortTrainerLines(batch.lines, stored.seq);
    await storePoints(tx, run, job.user_id, rows.points);
    const { event_seq, samples } = await storeEvents(tx, run, job, rows);
    await tx
      .update(jobRuns)
      .set({
        events_offset: batch.to,
        events_seq: rows.last_seq,
        events_rejected: stored.rejected + rows.rejected + batch.oversized,
        ...(rows.last_seq > stored.seq && { last_event_at: sql`clock_timestamp()` }),
      })
      .where(of_run);
    await tx
      .update(trainingJobs)
      .set({
        event_seq,
        ...(samples > 0 && { samples: sql`${trainingJobs.samples} + ${samples}` }),
        ...columnsOf(rows.progress, job, run.attempt),
      })
      .where(eq(trainingJobs.id, run.job_id));
    await reestimateCost(tx, run, rows.progress, job);
    return { offset: batch.to, progress: rows.progress, wish };
  });
}

async function storePoints(tx: Tx, run: RunKey, user_id: string, points: PointRow[]): Promise<void> {
  if (points.length === 0) return;
  await tx.execute(sql`
    INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, epoch, "timestamp", loss, eval_loss, learning_rate,
      grad_norm, tokens_per_second, samples_per_second, gpu_memory_mb, peak_memory_mb, extra)
    SELECT ${run.job_id}::uuid, ${user_id}::uuid, ${run.attempt}::smallint, p.* FROM jsonb_to_recordset(${JSON.stringify(points)}::jsonb)
      AS p(seq integer, step integer, epoch real, "timestamp" timestamptz, loss real, eval_loss real, learning_rate real,
        grad_norm real, tokens_per_second real, samples_per_second real, gpu_memory_mb real, peak_memory_mb real, extra jsonb)`);
}

/** Answers the number of the job's last event, and how many samples there are more to see. */
async function storeEvents(
  tx: Tx,
  run: RunKey,
  { user_id, event_seq }: { user_id: string; event_seq: number },
  rows: BatchRows,
): Promise<{ event_seq: number; samples: number }> {
  const kept = event_seq < EVENTS_MAX ? rows.events : rows.events.filter((event) => DECISIVE.has(event.type));
  if (kept.length === 0) return { event_seq, samples: 0 };
  const attempt = { job_id: run.job_id, user_id, attempt: run.attempt };
  const events = kept.map((event, index) => ({ ...attempt, seq: event_seq + 1 + index, ...event }));
  await tx.insert(jobEvents).values(events);
  return { event_seq: event_seq + kept.length, samples: await noteSamples(tx, attempt, events) };
}

/** Once its first steps are measured, a job costs what it has run and what is left of it; its storage, where it leaves anything, is as before. */
async function reestimateCost(tx: Tx, run: RunKey, progress: RunProgress, job: { total_steps: number }): Promise<void> {
  const { measured } = progress;
  if (measured === null) return;
  const by_steps = measured.expected_seconds_per_step * ((progress.total_steps ?? job.total_steps) - measured.step);
  const left_s = Math.min(Math.max(progress.eta_seconds ?? 0, by_steps), ETA_SECONDS_MAX);
  const { storage_usd_per_gb, artifact_gb_per_rank } = ESTIMATE_CONSTANTS;
  await tx.execute(sql`
    UPDATE lowrank.training_jobs j SET estimated_total_cost = least(
      round(j.hourly_rate * (r.ran_s + ${left_s}::float8)::numeric / 3600, 2)
        + CASE WHEN j.config #>> '{spec,probe_only}' = 'true' THEN 0 ELSE round((d.file_size / ${GB}::numeric + (j.hyperparameters ->> 'rank')::numeric * ${artifact_gb_per_rank}) * ${storage_usd_per_gb}, 2) END,
      ${USD_MAX}::numeric)
    FROM lowrank.datasets d, (
      SELECT sum(CASE WHEN ended_at IS NULL THEN extract(epoch FROM clock_timestamp() - started_at) ELSE metered_s END) AS ran_s
      FROM lowrank.job_runs WHERE job_id = ${run.job_id}) r
    WHERE j.id = ${run.job_id} AND d.id = j.dataset_id`);
}

function columnsOf(progress: RunProgress, job: { current_step: number; total_steps: number }, attempt: number) {
  const total_steps = progress.total_steps ?? job.total_steps;
  const step = progress.step ?? job.current_step;
  const { eta_seconds } = progress;
  return {
    ...(progress.stage !== null && { current_stage: progress.stage }),
    ...(progress.step !== null && { current_step: step, total_steps, progress: progressPercent(step, total_steps) }),
    ...(progress.measured !== null && { measured: { attempt, ...progress.measured } }),
    ...(progress.epoch !== null && { current_epoch: progress.epoch }),
    ...(Object.keys(progress.metrics).length > 0 && {
      current_metrics: sql`${trainingJobs.current_metrics} || ${JSON.stringify(progress.metrics)}::jsonb`,
    }),
    ...(eta_seconds !== undefined && {
      estimated_completion_at:
        eta_seconds === null ? null : sql`clock_timestamp() + ${Math.min(eta_seconds, ETA_SECONDS_MAX)} * interval '1 second'`,
    }),
  };
}
