import { z } from '@hono/zod-openapi';
import type { DOOR_A_STATUSES, SubmitTrainingBody, SubmittedTraining, Training } from '#/contract/training.ts';
import { AppError, LaunchFailed } from '#/domain/app-error.ts';
import { INSTANCE_TOKEN } from '#/domain/image-plan.ts';
import { IMAGE_PROMPT_RULE } from '#/domain/image-wishes.ts';
import { splitHubModelName } from '#/domain/model-hub-id.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import { NO_WISHES, TrainingSpec } from '#/domain/training-spec.ts';
import type { JobRow } from '#/services/jobs/job-row.ts';

const DEFAULT_SEED = 42;

/** Door A's body as our one spec. What it does not ask for is left out of the run: there is no dropout. */
export function specOfDoorA(body: z.infer<typeof SubmitTrainingBody>, now: Date): TrainingSpec {
  const { learning_rate, batch_size, steps, resolution, lora_rank, lora_alpha } = body.config;
  return {
    name: body.name ?? `Training ${now.toISOString().slice(0, 16).replace('T', ' ')}`,
    method: body.type,
    dataset_id: body.dataset_id,
    base_model_id: null,
    hub_model: splitHubModelName(body.base_model),
    preset_id: 'custom',
    hyperparameters: { learning_rate, batch_size, epochs: null, rank: lora_rank, alpha: lora_alpha, dropout: 0 },
    gpu_config: null,
    max_steps: steps,
    trigger_words: body.trigger_words,
    resolution,
    seed: DEFAULT_SEED,
    run: NO_WISHES,
    metadata: {},
    probe_only: false,
    limits: body.limits,
    training_image_id: body.training_image_id,
    priority: body.priority,
    start: body.start,
    awaits_launch: true,
  };
}

/** What became of a submission, once its launch is decided. Throws `LaunchFailed` for a job that is over with a failure. */
export function presentSubmission({ job, base_model }: JobRow): SubmittedTraining {
  if (job.status === 'failed') {
    const code = job.error_code ?? 'internal';
    const message = job.error_message ?? code;
    throw new LaunchFailed(job.id, `The training is stored, but it could not be launched: ${message}`, [
      { path: 'job', message: [message, job.error_hint].filter(Boolean).join(' '), code },
    ]);
  }
  const launched = job.started_at !== null && job.status !== 'queued' && job.status !== 'initializing';
  const words = [launched ? launchedWords(job) : waitingWords(job, base_model.name)];
  words.push(...imageWords(job));
  return { success: true, job_id: job.id, status: launched ? 'running' : 'queued', message: words.join(' ') };
}

const Planned = z.object({
  plan: z.object({ modality: z.literal('image'), prior: z.unknown(), instance_prompt: z.string().nullable() }),
});

/** What was not asked for and is done all the same, or asked for and not done. */
function imageWords({ config, type, trigger_words }: JobRow['job']): string[] {
  const planned = Planned.safeParse(config).data?.plan;
  if (planned === undefined)
    return trigger_words.length > 0 ? ['Trigger words mean nothing to a language model: they change nothing here.'] : [];
  if (type !== 'dreambooth') return [];
  return [
    ...(trigger_words.length === 0 ? [`No trigger word was given: the subject is learned under "${INSTANCE_TOKEN}".`] : []),
    ...(planned.prior == null
      ? [`The dataset’s metadata has no class_prompt that is ${IMAGE_PROMPT_RULE}: it is trained without prior preservation.`]
      : []),
  ];
}

const launchedWords = ({ name, status }: JobRow['job']): string =>
  status === 'running' ? `Training ${name} is running.` : `Training ${name} was started and is ${status} already.`;

function waitingWords(job: JobRow['job'], base_model: string): string {
  if (job.status === 'cancelled') return `Training ${job.name} is cancelled already.`;
  if (job.held_at !== null) return `Training ${job.name} is stored and held: it does not start by itself.`;
  if (job.status === 'initializing') return `The trainer of ${job.name} is still being started.`;
  if (job.current_stage !== null)
    return `Base model ${base_model} is being fetched; the training starts by itself when it is there.`;
  if (job.attempt > 0) return `Training ${job.name} could not be started just now; it is tried again by itself.`;
  return `Training ${job.name} is queued; it starts by itself when there is a place for it.`;
}

const STATUS_WORDS: Record<JobStatus, (typeof DOOR_A_STATUSES)[number]> = {
  queued: 'queued',
  initializing: 'pending',
  running: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

const instant = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A job in door A's words, whichever door it came by. */
export function presentTraining({ job, base_model }: JobRow): Training {
  const asked = TrainingSpec.safeParse(job.config.spec).data;
  const hub = asked?.hub_model ?? null;
  const { learning_rate, batch_size, rank, alpha } = job.hyperparameters;
  return {
    id: job.id,
    name: job.name,
    type: job.type,
    status: STATUS_WORDS[job.status],
    current_stage: job.current_stage,
    progress: job.progress,
    dataset_id: job.dataset_id,
    base_model: hub === null ? base_model.name : hub.revision === 'main' ? hub.hf_repo_id : `${hub.hf_repo_id}@${hub.revision}`,
    config: {
      learning_rate,
      batch_size,
      steps: job.total_steps,
      resolution: asked?.resolution ?? null,
      lora_rank: rank,
      lora_alpha: alpha,
    },
    trigger_words: job.trigger_words,
    current_step: job.current_step,
    total_steps: job.total_steps,
    current_metrics: job.current_metrics,
    artifact_id: job.artifact_id,
    error:
      job.error_code === null
        ? null
        : { code: job.error_code, message: job.error_message ?? job.error_code, hint: job.error_hint },
    queued_at: job.queued_at.toISOString(),
    started_at: instant(job.started_at),
    completed_at: instant(job.completed_at),
    created_at: job.created_at.toISOString(),
    updated_at: job.updated_at.toISOString(),
  };
}

/** A refusal in this door's words, which have one code for a dataset that cannot be trained on yet: the row says why. */
export function inWordsOfDoorA(error: unknown): never {
  if (error instanceof AppError && error.code === 'dataset_not_training_ready')
    throw new AppError('dataset_not_ready', error.message, error.details);
  throw error;
}
