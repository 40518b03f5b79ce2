import { and, eq, sql } from 'drizzle-orm';
import { jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { holdRun, type RunKey } from './hold-run.ts';
import { transitionJob } from './transition-job.ts';

const ofRun = (run: RunKey) => and(eq(jobRuns.job_id, run.job_id), eq(jobRuns.attempt, run.attempt));

/** Notes from which checkpoint the attempt goes on, before it is launched: the curve hides what it runs again. Throws `fenced`. */
export function noteResume(run: RunKey, resumed_from_step: number | null): Promise<void> {
  return asScheduler(async (tx) => {
    await holdRun(tx, run);
    await tx.update(jobRuns).set({ resumed_from_step }).where(ofRun(run));
  });
}

/**
 * The run's trainer has started: stores how it is found again and what it was made of (null for a process), and moves the job
 * to `running`. Said again, it changes nothing. Throws `fenced`.
 */
export function noteStarted(
  run: RunKey,
  handle: Record<string, unknown>,
  made_of: { image: string; image_id: string } | null = null,
): Promise<void> {
  return asScheduler(async (tx) => {
    const job = await holdRun(tx, run);
    await tx
      .update(jobRuns)
      .set({ handle, image: made_of?.image ?? null, image_digest: made_of?.image_id ?? null })
      .where(ofRun(run));
    if (job.status !== 'initializing') return;
    await transitionJob(tx, job, { type: 'started' });
    await tx
      .update(trainingJobs)
      .set({ started_at: sql`coalesce(started_at, clock_timestamp())` })
      .where(eq(trainingJobs.id, run.job_id));
  });
}

/** Says in a word what the worker does with the run where the trainer cannot (verifying, publishing). Throws `fenced`. */
export function noteStage(run: RunKey, current_stage: string): Promise<void> {
  return asScheduler(async (tx) => {
    await holdRun(tx, run);
    await tx.update(trainingJobs).set({ current_stage }).where(eq(trainingJobs.id, run.job_id));
  });
}
