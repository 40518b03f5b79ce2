import { and, eq, sql } from 'drizzle-orm';
import { databaseErrorCode } from '#/db/pools.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { AUTOMATIC_RESTARTS_MAX } from '#/domain/constants.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { type SeenJob, transitionJob } from './transition-job.ts';

/** Classes of SQLSTATE that speak of the data at hand; all others speak of the server, its load or our rights. */
const ROW_FAULTS = /^(22|23|54|P0|XX)/;
const BROKEN = bareFailure(
  'launch_failed',
  `The training could not be started: its record is damaged, and ${AUTOMATIC_RESTARTS_MAX + 1} tries ended alike.`,
);

/** Whether what a claim threw is the fault of the row that it looked at, so that the same row throws again and others do not. */
export function isOfTheRow(error: unknown): boolean {
  const code = databaseErrorCode(error);
  return code === undefined ? !(error instanceof AppError) : ROW_FAULTS.test(code);
}

/**
 * Puts a waiting job off that cannot be claimed: as a fault of ours it is tried again, a few times after growing pauses, and then it
 * fails. One that cannot even fail waits for as long as the last pause, again and again. False where nothing of it can be written.
 */
export async function passOver(job: SeenJob, pause_ms: number): Promise<boolean> {
  for (const write of [putOffOrFail, putOff]) {
    try {
      await asScheduler((tx) => write(tx, job, pause_ms));
      return true;
    } catch (error) {
      if (!isOfTheRow(error) && !(error instanceof AppError && error.code === 'fenced')) throw error;
    }
  }
  return false;
}

const isSeen = (job: SeenJob) =>
  and(eq(trainingJobs.id, job.id), eq(trainingJobs.status, job.status), eq(trainingJobs.epoch, job.epoch));
const inMs = (ms: number) => sql`clock_timestamp() + ${ms} * interval '1 ms'` as unknown as Date;

async function putOffOrFail(tx: Tx, job: SeenJob, pause_ms: number): Promise<void> {
  const [seen] = await tx
    .select({ restarts: trainingJobs.retry_count })
    .from(trainingJobs)
    .where(isSeen(job))
    .for('no key update');
  // It moved on meanwhile: somebody has settled it.
  if (seen === undefined) return;
  const { restarts } = seen;
  if (restarts >= AUTOMATIC_RESTARTS_MAX) {
    await transitionJob(tx, job, { type: 'failed', failure: BROKEN });
    return;
  }
  const columns = { retry_count: restarts + 1, not_before: inMs(pause_ms * 2 ** restarts) };
  await tx.update(trainingJobs).set(columns).where(isSeen(job));
}

async function putOff(tx: Tx, job: SeenJob, pause_ms: number): Promise<void> {
  await tx
    .update(trainingJobs)
    .set({ not_before: inMs(pause_ms * 2 ** AUTOMATIC_RESTARTS_MAX) })
    .where(isSeen(job));
}
