import { and, eq, inArray, isNotNull, or, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { jobEvents, jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import { asScheduler } from '#/db/tenancy.ts';
import type { RunDevice } from '#/domain/devices.ts';
import type { ExecutorName } from '#/domain/executors.ts';
import type { UserWish } from '#/domain/run-exit.ts';
import { ACTIVE_JOB_STATUSES } from '#/domain/statuses.ts';
import { type RunKey, USER_WISH } from './hold-run.ts';

/** All that a worker must know to launch a run, or to take it up again. */
export type HeldRun = NonNullable<Awaited<ReturnType<typeof readRuns>>[number]>;

/** The active runs of a worker: those it claimed and, after a restart, those it has to find again. */
export function readRuns(worker_id: string, job_ids?: string[]) {
  return asScheduler((tx) =>
    tx
      .select({
        job_id: trainingJobs.id,
        user_id: trainingJobs.user_id,
        name: trainingJobs.name,
        status: trainingJobs.status,
        attempt: trainingJobs.attempt,
        epoch: trainingJobs.epoch,
        config: trainingJobs.config,
        current_stage: trainingJobs.current_stage,
        current_step: trainingJobs.current_step,
        wish: USER_WISH,
        /** who has the attempt, also before there is a handle */
        executor: sql<ExecutorName>`${jobRuns.executor}`,
        handle: jobRuns.handle,
        events_offset: jobRuns.events_offset,
        /** how long the attempt has been going, by the database's clock */
        age_ms: sql<number>`(extract(epoch FROM clock_timestamp() - ${jobRuns.started_at}) * 1000)::float8`,
        /** what the attempt has leased, by uuid */
        devices: sql<
          RunDevice[]
        >`(SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'kind', d.kind, 'uuid', d.uuid) ORDER BY d.uuid), '[]')
          FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id
          WHERE l.job_id = ${trainingJobs.id} AND l.attempt = ${trainingJobs.attempt} AND l.released_at IS NULL)`,
        dataset: {
          id: datasets.id,
          storage_path: datasets.storage_path,
          checksum: datasets.checksum,
          received_checksum: datasets.received_checksum,
          deleted_at: datasets.deleted_at,
        },
        base_model: { id: baseModels.id, local_path: baseModels.local_path, storage_path: baseModels.storage_path },
      })
      .from(trainingJobs)
      .innerJoin(jobRuns, and(eq(jobRuns.job_id, trainingJobs.id), eq(jobRuns.attempt, trainingJobs.attempt)))
      .innerJoin(datasets, eq(datasets.id, trainingJobs.dataset_id))
      .innerJoin(baseModels, eq(baseModels.id, trainingJobs.base_model_id))
      .where(
        and(
          eq(trainingJobs.worker_id, worker_id),
          inArray(trainingJobs.status, [...ACTIVE_JOB_STATUSES]),
          ...(job_ids === undefined ? [] : [inArray(trainingJobs.id, job_ids)]),
        ),
      ),
  );
}

/** What the trainer of an attempt has said that decides its end: `error`, `done` and `artifact` lines, in order. */
export function readLastWords(run: RunKey): Promise<{ type: string; message: string | null; data: Record<string, unknown> }[]> {
  return asScheduler((tx) =>
    tx
      .select({ type: jobEvents.type, message: jobEvents.message, data: jobEvents.data })
      .from(jobEvents)
      .where(
        and(
          eq(jobEvents.job_id, run.job_id),
          eq(jobEvents.attempt, run.attempt),
          inArray(jobEvents.type, ['error', 'done', 'artifact']),
        ),
      )
      .orderBy(jobEvents.seq),
  );
}

/** How jobs stand, by id; one that is not in the answer was deleted. */
export async function readJobStates(job_ids: string[]) {
  const rows = await asScheduler((tx) =>
    tx
      .select({
        id: trainingJobs.id,
        status: trainingJobs.status,
        attempt: trainingJobs.attempt,
        worker_id: trainingJobs.worker_id,
        deleted_at: trainingJobs.deleted_at,
        discard_requested_at: trainingJobs.discard_requested_at,
        /** what it drew is not all in storage yet */
        is_storing: sql<boolean>`EXISTS (SELECT FROM lowrank.sample_images s WHERE s.job_id = training_jobs.id AND s.status = 'pending')`,
      })
      .from(trainingJobs)
      .where(inArray(trainingJobs.id, job_ids)),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Which runs of this worker their users wish to end, and how. */
export function readWishes(worker_id: string): Promise<{ job_id: string; wish: UserWish | null }[]> {
  return asScheduler((tx) =>
    tx
      .select({ job_id: trainingJobs.id, wish: USER_WISH })
      .from(trainingJobs)
      .where(
        and(
          eq(trainingJobs.worker_id, worker_id),
          inArray(trainingJobs.status, [...ACTIVE_JOB_STATUSES]),
          or(isNotNull(trainingJobs.cancel_requested_at), isNotNull(trainingJobs.pause_requested_at)),
        ),
      ),
  );
}
