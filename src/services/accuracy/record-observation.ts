import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm';
import { runGroups, runObservations } from '#/db/schema/foresight.ts';
import { jobEvents, jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';
import { accuracyOf, compareMemory, compareTime } from '#/domain/foresight/learning/accuracy.ts';
import { MEASURING_WORDS, observeRun } from '#/domain/foresight/learning/measured-run.ts';
import { featureKey } from '#/domain/foresight/learning/observed-run.ts';
import { isTerminal, type JobStatus } from '#/domain/statuses.ts';

/** The newest runs of a kind that count: what older ones said is known by now, or has changed. One person's many push out nobody's few. */
const GROUP_RUNS_MAX = 200;

type Group = Pick<typeof runGroups.$inferSelect, 'gpu' | 'stack_version' | 'method' | 'formulas'>;

/**
 * Keeps what a job measured beside what was foretold of it, and sums up its kind anew, in the transaction that ends the job and
 * after its bill. Nothing is kept of a job that goes on, of which nothing was foretold, or whose trainer never stood ready.
 */
export async function recordObservation(tx: Tx, job_id: string, status: JobStatus): Promise<void> {
  if (!isTerminal(status)) return;
  const outcome = status as 'completed' | 'failed' | 'cancelled';
  const [job] = await tx
    .select({
      user_id: trainingJobs.user_id,
      forecast: sql<unknown>`${trainingJobs.config} -> 'forecast'`,
      probe_only: sql<boolean>`coalesce(${trainingJobs.config} #>> '{spec,probe_only}' = 'true', false)`,
      cost: trainingJobs.current_cost,
      hours: sql<number>`(SELECT coalesce(sum(${jobRuns.metered_s}), 0)::float8 / 3600 FROM ${jobRuns} WHERE ${jobRuns.job_id} = ${job_id})`,
    })
    .from(trainingJobs)
    .where(and(eq(trainingJobs.id, job_id), sql`${trainingJobs.config} ? 'forecast'`));
  if (job === undefined) return;
  const words = await tx
    .select({ attempt: jobEvents.attempt, type: jobEvents.type, data: jobEvents.data })
    .from(jobEvents)
    .where(and(eq(jobEvents.job_id, job_id), inArray(jobEvents.type, [...MEASURING_WORDS])))
    .orderBy(asc(jobEvents.seq));
  // What was foretold of hours and cost is of the whole training.
  const whole = outcome === 'completed' && !job.probe_only ? { hours: job.hours, cost: Number(job.cost) } : null;
  const observed = observeRun({ forecast: job.forecast }, words, whole);
  if (observed === null) return;
  const { forecast, measured, residuals } = observed;
  const group = {
    gpu: measured.gpu,
    stack_version: measured.stack_version,
    method: forecast.features.method,
    formulas: forecast.formulas,
  };
  await tx
    .insert(runObservations)
    .values({
      id: job_id,
      user_id: job.user_id,
      outcome,
      ...group,
      feature_key: featureKey(forecast.features),
      forecast,
      measured,
      memory_residual: residuals.memory,
      time_residual: residuals.time,
      memory_at_least: residuals.memory_at_least,
    })
    .onConflictDoNothing();
  if (residuals.memory !== null || residuals.time !== null) await sumUpGroup(tx, group);
}

/** Makes a group's row what its observations say. The row is taken first: whoever else ends such a run meanwhile waits for it, and sees ours. */
async function sumUpGroup(tx: Tx, group: Group): Promise<void> {
  const turn = sql`(SELECT coalesce(max(g.turn), 0) + 1 FROM lowrank.run_groups g)`;
  await tx
    .insert(runGroups)
    .values({ ...group, memory: accuracyOf([]), time: accuracyOf([]), turn: turn as unknown as number })
    .onConflictDoUpdate({
      target: [runGroups.gpu, runGroups.stack_version, runGroups.method, runGroups.formulas],
      set: { turn },
    });
  const runs = await tx
    .select({
      forecast: runObservations.forecast,
      measured: runObservations.measured,
      memory_residual: runObservations.memory_residual,
      time_residual: runObservations.time_residual,
    })
    .from(runObservations)
    .where(isOf(runObservations, group))
    .orderBy(
      sql`row_number() OVER (PARTITION BY ${runObservations.user_id} ORDER BY ${runObservations.created_at} DESC)`,
      desc(runObservations.created_at),
    )
    .limit(GROUP_RUNS_MAX);
  const compare = (figure: 'memory' | 'time') =>
    runs.flatMap(({ forecast, measured, ...run }) => {
      const residual = run[`${figure}_residual`];
      const compared = (figure === 'memory' ? compareMemory : compareTime)(forecast, measured);
      return residual === null || compared === null ? [] : [{ ...compared, residual }];
    });
  await tx
    .update(runGroups)
    .set({ memory: accuracyOf(compare('memory')), time: accuracyOf(compare('time')) })
    .where(isOf(runGroups, group));
}

const isOf = (table: typeof runGroups | typeof runObservations, group: Group) =>
  and(
    eq(table.gpu, group.gpu),
    eq(table.stack_version, group.stack_version),
    eq(table.method, group.method),
    eq(table.formulas, group.formulas),
  );
