import { type SQL, sql } from 'drizzle-orm';

/**
 * The worker on whose host the last run of a job that was launched ended by a pause; null for any other. There lies the checkpoint
 * from which it is to go on. `job`: how the statement names the job's table.
 */
export const pausedOn = (job: SQL): SQL => sql`(SELECT CASE WHEN r.exit ->> 'paused' = 'true' THEN r.worker_id END
  FROM lowrank.job_runs r WHERE r.job_id = ${job}.id AND r.handle IS NOT NULL ORDER BY r.attempt DESC LIMIT 1)`;
