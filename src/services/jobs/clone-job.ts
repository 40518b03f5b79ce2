import { asUser } from '#/db/tenancy.ts';
import { TrainingSpec } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { createJob, type SubmissionOptions } from './create-job.ts';
import { findJob, type JobRow } from './job-row.ts';

/** What a clone may have of its own. */
export interface CloneChanges {
  name?: string | undefined;
  priority?: number | undefined;
  /** true when absent */
  start?: boolean | undefined;
}

/**
 * The same as a NEW job that remembers its origin, whatever became of that, in the same experiment. Throws `not_found` and
 * what `createJob` throws.
 */
export async function cloneJob(
  ctx: Context,
  job_id: string,
  changes: CloneChanges,
  options: Pick<SubmissionOptions, 'before' | 'after'> = {},
): Promise<JobRow> {
  const { job } = await asUser(ctx.user_id, (tx) => findJob(tx, job_id));
  const { awaits_launch: _, ...spec } = TrainingSpec.parse(job.config.spec);
  const { name = spec.name, priority = spec.priority, start = true } = changes;
  const { experiment_id } = job;
  // What named no device is given what there is by now.
  const gpu_config = job.config.own_device === true ? { type: null, count: spec.gpu_config?.count ?? 1 } : spec.gpu_config;
  return createJob(ctx, { ...spec, gpu_config, name, priority, start }, { ...options, retried_from: job_id, experiment_id });
}
