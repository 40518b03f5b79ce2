import { sql } from 'drizzle-orm';
import { asScheduler } from '#/db/tenancy.ts';
import { CLAIM_AWAITED_MS } from '#/domain/constants.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { shortenPaths } from '#/domain/shorten-paths.ts';
import { type SeenJob, transitionJob } from './transition-job.ts';

/** At once, of many that were submitted in the same second. */
const FAILED_AT_ONCE_MAX = 20;

/**
 * Fails jobs whose submissions wait right now to be told how their launch went, for a fault that only a person can mend: no device is
 * taken for them. Those that nobody waits for stay in the queue until it is mended, as do all while another worker could start them, or
 * nothing is to start anyway. Answers their ids.
 */
export function failUnstartable(worker_id: string, reason: string, silent_ms: number): Promise<string[]> {
  return asScheduler(async (tx) => {
    const { rows } = await tx.execute<SeenJob & Record<string, unknown>>(sql`
      SELECT j.id, j.user_id, j.name, j.status, j.epoch FROM lowrank.training_jobs j JOIN lowrank.user_queues q ON q.user_id = j.user_id
      WHERE j.status = 'queued' AND j.queued_at > clock_timestamp() - ${CLAIM_AWAITED_MS} * interval '1 ms' AND j.attempt = 0
        AND j.held_at IS NULL AND j.deleted_at IS NULL AND j.current_stage IS NULL AND q.active < q.active_max AND q.leaving_at IS NULL
        AND j.config #>> '{spec,awaits_launch}' = 'true' AND (SELECT lowrank.starts_held()) IS NULL
        AND NOT EXISTS (SELECT FROM lowrank.workers w WHERE w.id <> ${worker_id} AND w.stopped_at IS NULL
          AND w.heartbeat_at > clock_timestamp() - ${silent_ms} * interval '1 ms' AND w.facts #>> '{executor_fault,state}' IS DISTINCT FROM 'unfit')
      LIMIT ${FAILED_AT_ONCE_MAX} FOR NO KEY UPDATE OF j SKIP LOCKED`);
    const failure = bareFailure('launch_failed', `The run could not be started: ${shortenPaths(reason)}`);
    for (const job of rows) await transitionJob(tx, job, { type: 'failed', failure });
    return rows.map(({ id }) => id);
  });
}
