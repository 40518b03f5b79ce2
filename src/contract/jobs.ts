import { z } from '@hono/zod-openapi';
import { FORMULAS, StoredForecast } from '#/domain/foresight/learning/observed-run.ts';
import { AskedHyperparameters, HyperparameterOverrides, PresetInput } from '#/domain/hyperparameters.ts';
import { ProbeFigures } from '#/domain/probe-figures.ts';
import { RowTokens } from '#/domain/recipes.ts';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { EVAL_SUITES, EXPORT_FORMATS, MIXED_PRECISIONS } from '#/domain/trainer-abilities.ts';
import { TRAINER_STRATEGIES } from '#/domain/trainer-config-parts.ts';
import { AskedDevices, GPUConfig, ResourceName, SkippedWish } from '#/domain/training-spec.ts';
import { doorOf } from '#/domain/wizard-training.ts';
import { enveloped, IdempotencyKey, IdParam, Instant, ListQuery, PageFields, PageNumber, View, WholeQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';
import { WIZARD_STATUSES } from './experiments.ts';
import { EverySubmission, ProbeOnly } from './submission.ts';
import { CreateWizardJobBody } from './wizard.ts';

/** Door B's submission. `estimated_cost` is accepted and ignored: ours is computed. */
export const CreateJobBody = z
  .strictObject({
    dataset_id: z.uuid(),
    preset_id: PresetInput.default('balanced'),
    gpu_config: AskedDevices.optional().describe('type null: of what the machine has; left out: one of it'),
    hyperparameters: HyperparameterOverrides.default({}),
    max_steps: z.int().min(1).max(1_000_000).optional(),
    max_seq_length: RowTokens.optional().describe('Tokens at which rows are cut; left out: at most 2048'),
    estimated_cost: z.number().optional(),
    name: ResourceName.optional(),
    base_model_id: z.uuid().optional(),
    ...ProbeOnly,
    ...EverySubmission,
  })
  .openapi('CreateJob', {
    example: {
      dataset_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
      preset_id: 'fast',
      hyperparameters: { epochs: 1 },
      name: 'First try',
    },
  });

const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string().nullable(), stack: z.string().nullable() });

const Forecast = StoredForecast.omit({ features: true }).openapi('Forecast', {
  description: 'Foretold at the submission: figures, what nine of ten truths lie between, and how many runs they stand on',
  example: {
    formulas: FORMULAS,
    gpu: 'L4',
    allocator_bytes: 7_400_000_000,
    device_bytes: { figure: 8.2e9, low: 7.9e9, high: 8.6e9, formula: 8e9, runs: 14, near: 2, same: false },
    seconds_per_step: { figure: 0.52, low: 0.47, high: 0.58, formula: 0.5, runs: 14, near: 2, same: false },
    hours: { figure: 0.25, low: 0.22, high: 0.28 },
    cost: { figure: 0.2, low: 0.18, high: 0.23 },
  },
});

// Made anew: what was made before the contract was read knows nothing of OpenAPI.
const Measured = z.object(ProbeFigures.shape).openapi('Measured', {
  description: 'What the first steps of the newest attempt took: seconds, tokens and memory (MB of 10^6 bytes)',
  example: {
    attempt: 1,
    step: 8,
    warmup_steps: 3,
    timed_steps: 5,
    seconds_per_step: { median: 0.52, low: 0.5, high: 0.55 },
    tokens_per_step: 1620.4,
    padded_tokens_per_step: 1792,
    trained_tokens_per_step: 812.2,
    tokens_per_second: 3116.2,
    mean_tokens_per_step: 1600,
    expected_seconds_per_step: 0.51,
    longest_pass_tokens: 4096,
    peak_allocated_mb: 7120.5,
    peak_reserved_mb: 7301.2,
    device_memory_mb: 8104.8,
  },
});

const RunImage = z
  .object({
    reference: z.string().describe('As it was named'),
    digest: z.string().describe('The id of what that was'),
  })
  .openapi('RunImage', { example: { reference: 'training-image', digest: `sha256:${'0123456789abcdef'.repeat(4)}` } });

export const TrainingJob = z
  .object({
    id: z.uuid(),
    name: z.string(),
    type: z.string(),
    status: z.enum(JOB_STATUSES),
    current_stage: z.string().nullable(),
    progress: z.number().describe('Percent, 0 to 100'),
    current_step: z.int(),
    total_steps: z.int(),
    current_epoch: z.number(),
    total_epochs: z.int(),
    current_metrics: z.record(z.string(), z.number().nullable()),
    preset_id: z.string(),
    hyperparameters: AskedHyperparameters,
    gpu_config: GPUConfig,
    config: z.record(z.string(), z.unknown()).describe('The spec and the plan, whole'),
    priority: z.int(),
    dataset_id: z.uuid(),
    dataset: z.object({ id: z.uuid(), name: z.string(), file_name: z.string(), total_training_pairs: z.int().nullable() }),
    base_model_id: z.uuid(),
    base_model: z.object({ id: z.uuid(), name: z.string(), params_b: z.number().nullable() }),
    artifact_id: z.uuid().nullable(),
    estimated_total_cost: z
      .number()
      .nullable()
      .describe('US dollars, by the catalogue as it stood at the submission, and once its first steps are measured by them'),
    hourly_rate: z.number().describe('US dollars an hour for all its devices, as it stood at the submission'),
    current_cost: z.number().describe('US dollars so far, a little behind while it runs'),
    final_cost: z.number().nullable().describe('US dollars; null until it is over'),
    forecast: Forecast.nullable().describe('null: memory and speed were not estimated'),
    measured: Measured.nullable().describe('null: its first steps are not done yet'),
    samples: z
      .int()
      .describe('Of all its attempts, those that are listed as stored, or as never to be: see /api/jobs/{id}/samples'),
    failure: Failure.nullable(),
    retried_from: z.uuid().nullable(),
    retry_count: z.int(),
    attempt: z.int(),
    executor: z.string().nullable(),
    training_image: RunImage.nullable().describe('What its newest attempt was made of; null for a process'),
    cancel_requested_at: Instant.nullable(),
    pause_requested_at: Instant.nullable().describe('Beside held_at: paused, to go on from its checkpoint'),
    held_at: Instant.nullable(),
    contact_lost_at: Instant.nullable(),
    queued_at: Instant,
    started_at: Instant.nullable(),
    completed_at: Instant.nullable(),
    estimated_completion_at: Instant.nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('TrainingJob');
export type TrainingJob = z.infer<typeof TrainingJob>;

/** A job in door C's words: the same, its status in capitals, and what was asked in the wizard's own shape. */
// Made of its fields anew: an extension would have to be a TrainingJob as well, whose statuses are others.
export const WizardJob = z
  .object({
    ...TrainingJob.shape,
    status: z.enum(WIZARD_STATUSES),
    experiment_id: z.uuid().nullable(),
    recipe_id: z.uuid().nullable(),
    celery_task_id: z.uuid().describe('The id in the queue'),
    adapters: z.array(z.object({ adapter_id: z.uuid() })),
    train: z.object({
      max_steps: z.int(),
      global_batch_size: z.int(),
      grad_accum: z.int(),
      learning_rate: z.number(),
      warmup_steps: z.int(),
      seed: z.int().nullable(),
      checkpoint_interval: z.int(),
    }),
    strategy: z.object({ type: z.enum(TRAINER_STRATEGIES), mixed_precision: z.enum(MIXED_PRECISIONS).nullable() }),
    resources: z.object({ gpus: z.int(), gpu_type: z.string(), partition_id: z.string().nullable() }),
    eval: z.object({ suites: z.array(z.enum(EVAL_SUITES)), interval: z.int() }),
    export: z.array(z.enum(EXPORT_FORMATS)),
    skipped: z.array(SkippedWish).describe('What was asked for and is not to be had here'),
    metadata: z.record(z.string(), z.unknown()),
  })
  .openapi('WizardJob');
export type WizardJob = z.infer<typeof WizardJob>;

/** One answer of a route, as JSON. */
export const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const JobAnswer = enveloped(TrainingJob);
/** A job as either door tells it. */
export const ToldJob = z.union([JobAnswer, WizardJob]);

const MIXED = 'belongs to another kind of submission: send recipe_id and train, or preset_id and hyperparameters';

type ToldIssue = Parameters<z.core.$RefinementCtx['addIssue']>[0];

/**
 * What a door's schema says of a body, but for fields that are told as the other door's. Zod reads on behind an unknown field, and would
 * tell the other door's rules beside it: so each is told as a rule of ours, after which nothing is read.
 */
function unlessMixed(issue: z.core.$ZodIssue, mixed: string[]): ToldIssue[] {
  if (issue.code !== 'unrecognized_keys') return [{ ...issue } as ToldIssue];
  return issue.keys
    .filter((key) => issue.path.length > 0 || !mixed.includes(key))
    .map((key) => ({
      code: 'custom',
      path: [...issue.path, key],
      message: 'is not a known field',
      params: { code: 'unknown_field' },
    }));
}

/**
 * Door B's or door C's submission, told by its shape; a body that mixes them is refused. It is read by its own door's schema
 * first, so that what is wrong is told in that door's words.
 */
export const SubmitJobBody = z.preprocess(
  (body, context) => {
    const { door, mixed } = doorOf(body);
    for (const field of mixed) context.addIssue({ code: 'custom', path: [field], message: MIXED });
    const parsed = (door === 'c' ? CreateWizardJobBody : CreateJobBody).safeParse(body);
    for (const issue of parsed.error?.issues ?? []) for (const told of unlessMixed(issue, mixed)) context.addIssue(told);
    return mixed.length > 0 || !parsed.success ? z.NEVER : body;
  },
  z.union([CreateJobBody, CreateWizardJobBody]),
);

export const createJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs',
  tags: ['jobs'],
  summary: 'Queue a training: by a preset, or by a recipe (the setup wizard’s shape)',
  request: {
    headers: IdempotencyKey,
    body: { required: true, content: { 'application/json': { schema: SubmitJobBody } } },
  },
  responses: { 201: answers(ToldJob, 'Stored and queued, told by the door that it came by') },
  faults: [
    404,
    'dataset_not_ready',
    'dataset_not_training_ready',
    'base_model_not_ready',
    'training_image_not_ready',
    422,
    'base_model_required',
    'preflight_failed',
    429,
  ],
});

export const listJobsRoute = declareRoute({
  method: 'get',
  path: '/api/jobs',
  tags: ['jobs'],
  summary: 'Own jobs, newest first',
  request: {
    query: z.strictObject({
      status: z
        .enum([...JOB_STATUSES, ...WIZARD_STATUSES])
        .optional()
        .describe('In the words of either door'),
      ...ListQuery,
      page: PageNumber,
      offset: WholeQuery(0, 1_000_000).optional().describe('In place of page, and counts before it'),
      after: z
        .uuid()
        .optional()
        .describe('next_cursor of the page before; counts before page and offset, and new jobs move nothing'),
      view: View,
    }),
  },
  responses: {
    200: answers(
      z.union([
        enveloped(
          z.object({
            jobs: z.array(TrainingJob),
            pagination: z.object({
              page: z.int().describe('As it was asked; without meaning beside after and offset'),
              limit: z.int(),
              total: z.int(),
              total_is_estimate: PageFields.total_is_estimate,
              totalPages: z.int(),
              next_cursor: z.uuid().nullable().describe('Sent as `after` it gets the next page; null: there is none'),
            }),
          }),
        ),
        z.object({ jobs: z.array(WizardJob), ...PageFields }),
      ]),
      'One page; with view=wizard plain',
    ),
  },
});

export const getJobRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}',
  tags: ['jobs'],
  summary: 'One job',
  request: { params: IdParam, query: z.strictObject({ view: View }) },
  responses: { 200: answers(ToldJob, 'The job') },
  faults: [404],
});

export const deleteJobRoute = declareRoute({
  method: 'delete',
  path: '/api/jobs/{id}',
  tags: ['jobs'],
  summary: 'Delete a job that is over: its log, curve and checkpoints go, its artifacts stay',
  request: { params: IdParam, query: z.strictObject({ view: View }) },
  responses: { 204: { description: 'Deleted' } },
  faults: [404, 'job_not_final'],
});

export const cancelJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/{id}/cancel',
  tags: ['jobs'],
  summary: 'Cancel: final within 30 s where its host is reachable; the last checkpoint is kept unless it is to be discarded',
  request: {
    params: IdParam,
    query: z.strictObject({ view: View }),
    body: {
      required: false,
      content: {
        'application/json': {
          schema: z
            .strictObject({ discard: z.boolean().optional().describe('true: its last checkpoint is removed, too') })
            .openapi('CancelJob', { example: { discard: false } }),
        },
      },
    },
  },
  responses: { 200: answers(ToldJob, 'The job, cancelled or with its wish noted') },
  faults: [404, 'job_already_final'],
});

export const retryJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/{id}/retry',
  tags: ['jobs'],
  summary: 'The same again, as a new job',
  request: { params: IdParam, query: z.strictObject({ view: View }), headers: IdempotencyKey },
  responses: { 201: answers(ToldJob, 'The new job') },
  faults: [
    404,
    'job_not_final',
    'dataset_not_ready',
    'dataset_not_training_ready',
    'base_model_not_ready',
    'training_image_not_ready',
    422,
    'base_model_required',
    'preflight_failed',
    429,
  ],
});
