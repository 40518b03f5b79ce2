import { eq, sql } from 'drizzle-orm';
import { userQueues } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { CLAIM_AWAITED_MS, LAUNCH_AWAITED_MS } from '#/domain/constants.ts';
import type { Context } from '#/services/context.ts';
import { hearJob } from './job-bell.ts';
import { findJob, type JobRow } from './job-row.ts';

/** What of a fresh job's launch is worth waiting for: a claim that comes at once, a trainer that is being started, or nothing. */
type Ahead = 'claim' | 'start' | 'nothing';

const PATIENCE_MS: Readonly<Record<Ahead, number>> = { claim: CLAIM_AWAITED_MS, start: LAUNCH_AWAITED_MS, nothing: 0 };

/**
 * Answers a job that was just submitted as it stands once its launch is decided: it runs, or it is over, or it waits (for its
 * model, a free slot, a worker, another try). A launch that takes longer than 10 s is answered as it stands then. Between two
 * looks it waits for the job's notification, with no transaction open. Throws `not_found` and `database_unavailable`.
 */
export async function awaitLaunch(ctx: Context, job_id: string, signal: AbortSignal, patience_ms = PATIENCE_MS): Promise<JobRow> {
  const began = performance.now();
  const bell = hearJob(job_id);
  try {
    for (;;) {
      const { row, ahead } = await lookAt(ctx, job_id);
      const left_ms = patience_ms[ahead] - (performance.now() - began);
      if (left_ms <= 0 || signal.aborted) return row;
      await bell.wait(left_ms, signal);
    }
  } finally {
    bell.close();
  }
}

function lookAt(ctx: Context, job_id: string): Promise<{ row: JobRow; ahead: Ahead }> {
  return asUser(ctx.user_id, async (tx) => {
    const row = await findJob(tx, job_id);
    const { status, attempt, held_at, current_stage } = row.job;
    if (status === 'initializing') return { row, ahead: 'start' };
    // Queued with an attempt behind it: it was put back.
    if (status !== 'queued' || attempt > 0 || held_at !== null || current_stage !== null) return { row, ahead: 'nothing' };
    const [queue] = await tx
      .select({ full: sql<boolean>`${userQueues.active} >= ${userQueues.active_max}` })
      .from(userQueues)
      .where(eq(userQueues.user_id, ctx.user_id));
    return { row, ahead: queue?.full === false ? 'claim' : 'nothing' };
  });
}
