import { sql } from 'drizzle-orm';
import { asScheduler } from '#/db/tenancy.ts';
import type { PromiseTimes } from '#/domain/constants.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { settleFromAfar } from './finish-run.ts';

/**
 * Looks after jobs whose worker does not answer: their lost contact is shown when the lease is over; at the fence, when
 * the run must have ended itself, the job is settled without its host, and its device stays leased until the host proves
 * the run gone. A worker that stopped in order is not lost: its runs go on unwatched.
 */
export async function sweepJobs(worker_id: string, times: PromiseTimes): Promise<{ lost_contact: number; settled: string[] }> {
  const lost = await asScheduler((tx) =>
    tx.execute(sql`
      UPDATE lowrank.training_jobs j SET contact_lost_at = clock_timestamp()
      WHERE j.status IN ('initializing', 'running') AND j.lease_until < clock_timestamp() AND j.contact_lost_at IS NULL
        AND NOT EXISTS (SELECT FROM lowrank.workers w WHERE w.id = j.worker_id AND w.stopped_at IS NOT NULL)`),
  );
  const settled: string[] = [];
  for (;;) {
    const job_id = await settleOne(worker_id, times);
    if (job_id === null) return { lost_contact: lost.rowCount ?? 0, settled };
    settled.push(job_id);
  }
}

function settleOne(worker_id: string, times: PromiseTimes): Promise<string | null> {
  return asScheduler(async (tx) => {
    const fenced = await tx.execute<{ id: string; attempt: number; epoch: number }>(sql`
      SELECT j.id, j.attempt, j.epoch FROM lowrank.training_jobs j JOIN lowrank.workers w ON w.id = j.worker_id
      WHERE j.status IN ('initializing', 'running') AND j.worker_id <> ${worker_id} AND w.stopped_at IS NULL
        AND j.contact_lost_at IS NOT NULL
        AND j.lease_until < clock_timestamp() - ${times.fence_ms - times.contact_lost_ms} * interval '1 ms'
        AND w.heartbeat_at < clock_timestamp() - ${times.fence_ms} * interval '1 ms'
      LIMIT 1 FOR NO KEY UPDATE OF j SKIP LOCKED`);
    const job = fenced.rows[0];
    if (job === undefined) return null;
    const failure = bareFailure('contact_lost', 'The host of this training did not come back in time.');
    await settleFromAfar(tx, { job_id: job.id, attempt: job.attempt, epoch: job.epoch }, failure, times.sweep_ms);
    return job.id;
  });
}
