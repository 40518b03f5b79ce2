import type { Context as HonoContext } from 'hono';
import * as z from 'zod';
import type { WIZARD_STATUSES } from '#/contract/experiments.ts';
import type { TrainingJob, WizardJob } from '#/contract/jobs.ts';
import { StoredSpec } from '#/domain/attempt-config.ts';
import { JOB_STATUSES, type JobStatus } from '#/domain/statuses.ts';
import { TRAINER_STRATEGIES } from '#/domain/trainer-config-parts.ts';
import { NO_WISHES, SkippedWish } from '#/domain/training-spec.ts';
import { doorOf } from '#/domain/wizard-training.ts';
import type { JobRow } from '#/services/jobs/job-row.ts';
import type { ApiEnv } from './api-env.ts';
import { presentJob } from './job-presenter.ts';

type WizardStatus = (typeof WIZARD_STATUSES)[number];

const STATUS_WORDS: Record<JobStatus, WizardStatus> = {
  queued: 'PENDING',
  initializing: 'PENDING',
  running: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
};

/** A job's status in door C's words. */
export const wizardStatus = (status: JobStatus) => STATUS_WORDS[status];

/** The statuses that a word of either door stands for; absent for none. */
export function statusesOf(word: JobStatus | WizardStatus | undefined): JobStatus[] | undefined {
  if (word === undefined) return undefined;
  return JOB_STATUSES.filter((status) => status === word || wizardStatus(status) === word);
}

/** A status of an event in the words of the door that asks. */
export function statusByDoor(c: HonoContext<ApiEnv>, status: string | null): string | null {
  const known = JOB_STATUSES.find((one) => one === status);
  return c.var.wizard !== true || known === undefined ? status : wizardStatus(known);
}

/** What a read below /api/jobs tells: in door B's envelope, or plain where door C asks. */
export function inDoorsEnvelope<T extends object>(c: HonoContext<ApiEnv>, data: T): T | { success: true; data: T } {
  return c.var.wizard === true ? data : { success: true, data };
}

/** Whether a request below /api/jobs speaks door C's words: by its view, or by the shape of its submission. */
export function speaksDoorC(c: HonoContext<ApiEnv>, body: unknown): boolean {
  const { path, method } = c.req;
  if (path !== '/api/jobs' && !path.startsWith('/api/jobs/')) return false;
  return c.req.query('view') === 'wizard' || (method === 'POST' && path === '/api/jobs' && doorOf(body).door === 'c');
}

/** A job in the words of the door that asks. */
export function toldByDoor(c: HonoContext<ApiEnv>, row: JobRow): WizardJob | { success: true; data: TrainingJob } {
  return c.var.wizard === true ? presentWizardJob(row) : { success: true, data: presentJob(row) };
}

/** What a job's configuration says of the wizard's fields; jobs of other doors and earlier versions have some of it. */
const Told = z.object({
  spec: StoredSpec,
  // One on images has nothing to evaluate.
  plan: z.object({
    warmup_steps: z.int(),
    checkpoint_interval: z.int(),
    eval_interval: z.int().default(0),
    strategy: z.enum(TRAINER_STRATEGIES).default('none'),
  }),
  skipped: z.array(SkippedWish).default([]),
});

/** A job in door C's words, whichever door it came by. */
export function presentWizardJob(row: JobRow): WizardJob {
  const { job } = row;
  const told = Told.safeParse(job.config).data;
  const run = told?.spec.run ?? NO_WISHES;
  const { learning_rate, batch_size } = job.hyperparameters;
  return {
    ...presentJob(row),
    status: wizardStatus(job.status),
    experiment_id: job.experiment_id,
    recipe_id: job.recipe_id,
    celery_task_id: job.id,
    adapters: run.adapters.map((adapter_id) => ({ adapter_id })),
    train: {
      max_steps: job.total_steps,
      global_batch_size: batch_size * run.grad_accum,
      grad_accum: run.grad_accum,
      learning_rate,
      warmup_steps: told?.plan.warmup_steps ?? 0,
      seed: told?.spec.seed ?? null,
      checkpoint_interval: told?.plan.checkpoint_interval ?? 0,
    },
    strategy: { type: told?.plan.strategy ?? run.strategy, mixed_precision: run.mixed_precision },
    resources: { gpus: job.gpu_config.count, gpu_type: job.gpu_config.type, partition_id: run.partition_id },
    eval: { suites: run.eval_suites, interval: told?.plan.eval_interval ?? 0 },
    export: run.exports,
    skipped: told?.skipped ?? [],
    metadata: job.metadata,
  };
}
