/** Door A: image-style submissions, counted in steps. */
import { z } from '@hono/zod-openapi';
import { HYPERPARAMETER_RANGES } from '#/domain/hyperparameters.ts';
import { HUB_MODEL_NAME_PATTERN, HubModelName } from '#/domain/model-hub-id.ts';
import { Resolution, ResourceName, TRAINING_METHODS, TriggerWords } from '#/domain/training-spec.ts';
import { written } from '#/domain/written-number.ts';
import { IdempotencyKey, IdParam, Instant } from './common.ts';
import { declareRoute } from './declare-route.ts';
import { EverySubmission } from './submission.ts';

/** Door A's ranges: the domain's, or narrower. */
export const DOOR_A_RANGES = {
  learning_rate: HYPERPARAMETER_RANGES.learning_rate,
  batch_size: { ...HYPERPARAMETER_RANGES.batch_size, max: 8 },
  steps: { min: 100, max: 10_000 },
  lora_rank: HYPERPARAMETER_RANGES.rank,
  lora_alpha: HYPERPARAMETER_RANGES.alpha,
} as const;

/** What can be asked for at this door. */
const DOOR_A_METHODS = ['lora', 'dreambooth'] as const;

const whole = (name: keyof typeof DOOR_A_RANGES) => {
  const { min, max } = DOOR_A_RANGES[name];
  const rule = { error: `${name} must be a whole number between ${min} and ${max}`, abort: true };
  return z.int(rule).min(min, rule).max(max, rule);
};
const rate = DOOR_A_RANGES.learning_rate;
const rate_rule = `learning_rate must be a number between ${written(rate.min)} and ${written(rate.max)}`;

const TrainingConfig = z.strictObject({
  learning_rate: z.number(rate_rule).min(rate.min, rate_rule).max(rate.max, rate_rule).default(1e-4),
  batch_size: whole('batch_size').default(1).describe('Rows a step'),
  steps: whole('steps').default(1000).describe('Optimizer steps; how many passes over the dataset that takes is counted'),
  resolution: Resolution.default(512).describe('Pixels of an image’s side; without meaning for text').openapi({ multipleOf: 64 }),
  lora_rank: whole('lora_rank').default(16),
  lora_alpha: whole('lora_alpha').default(32),
});

export const SubmitTrainingBody = z
  .strictObject({
    dataset_id: z.uuid(),
    type: z.enum(DOOR_A_METHODS),
    base_model: HubModelName.describe(
      'Hub id owner/name, or owner/name@revision; registered and fetched where it is not there yet. A folder registered under that name goes before the Hub',
    ).openapi({ pattern: HUB_MODEL_NAME_PATTERN }),
    name: ResourceName.optional().describe('Made up when absent'),
    config: TrainingConfig,
    trigger_words: TriggerWords.default([]),
    ...EverySubmission,
  })
  .openapi('SubmitTraining', {
    example: {
      dataset_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
      type: 'lora',
      base_model: 'HuggingFaceTB/SmolLM-135M@main',
      name: 'Questions, first try',
      config: { learning_rate: 1e-4, batch_size: 4, steps: 500, lora_rank: 16, lora_alpha: 32 },
      trigger_words: [],
    },
  });

export const SubmittedTraining = z
  .object({
    success: z.literal(true),
    job_id: z.uuid(),
    status: z.enum(['running', 'queued']).describe('As it was when the answer was written'),
    message: z.string(),
  })
  .openapi('SubmittedTraining', {
    example: {
      success: true,
      job_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11',
      status: 'queued',
      message: 'Base model HuggingFaceTB/SmolLM-135M is being fetched; the training starts by itself when it is there.',
    },
  });
export type SubmittedTraining = z.infer<typeof SubmittedTraining>;

/** A job's statuses in door A's words. */
export const DOOR_A_STATUSES = ['queued', 'pending', 'running', 'completed', 'failed', 'cancelled'] as const;

export const Training = z
  .object({
    id: z.uuid(),
    name: z.string(),
    type: z.enum(TRAINING_METHODS),
    status: z.enum(DOOR_A_STATUSES).describe('pending: its trainer is being started'),
    current_stage: z.string().nullable(),
    progress: z.number().describe('Percent, 0 to 100'),
    dataset_id: z.uuid(),
    base_model: z.string().describe('As it was asked for; its registered name where it was chosen by id'),
    config: z.object({
      learning_rate: z.number(),
      batch_size: z.int(),
      steps: z.int(),
      resolution: z.int().nullable().describe('null where it was not asked for'),
      lora_rank: z.int(),
      lora_alpha: z.int(),
    }),
    trigger_words: z.array(z.string()),
    current_step: z.int(),
    total_steps: z.int(),
    current_metrics: z.record(z.string(), z.number().nullable()),
    artifact_id: z.uuid().nullable(),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
    queued_at: Instant,
    started_at: Instant.nullable(),
    completed_at: Instant.nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('Training');
export type Training = z.infer<typeof Training>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const submitTrainingRoute = declareRoute({
  method: 'post',
  path: '/api/training/submit',
  tags: ['training'],
  summary: 'Submit a training by steps; a launch under way is awaited up to 10 s',
  request: {
    headers: IdempotencyKey,
    body: { required: true, content: { 'application/json': { schema: SubmitTrainingBody } } },
  },
  responses: { 200: answers(SubmittedTraining, 'Stored; running, or queued for the reason that `message` says') },
  faults: [
    403,
    404,
    'dataset_not_ready',
    'base_model_not_ready',
    'training_image_not_ready',
    422,
    'base_model_required',
    'launch_failed',
    429,
    507,
  ],
});

export const getTrainingRoute = declareRoute({
  method: 'get',
  path: '/api/training/{id}',
  tags: ['training'],
  summary: 'One job in this door’s words',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Training, 'The training') },
  faults: [404],
});
