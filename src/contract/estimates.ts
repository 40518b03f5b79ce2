/** Door B's estimate: what a training would take, before it is asked for. */
import { z } from '@hono/zod-openapi';
import { GPU_CONFIGURATIONS } from '#/domain/gpu-catalog.ts';
import { EstimatedHyperparameters } from '#/domain/hyperparameters.ts';
import { RowTokens } from '#/domain/recipes.ts';
import { ESTIMATE_CONSTANTS, estimateTraining } from '#/domain/training-estimate.ts';
import { GPUConfig } from '#/domain/training-spec.ts';
import { declareRoute } from './declare-route.ts';
import { memoryVerdict } from './memory-verdict.ts';

const EstimateBody = z
  .strictObject({
    dataset_id: z.uuid(),
    gpu_config: GPUConfig,
    hyperparameters: EstimatedHyperparameters,
    base_model_id: z.uuid().optional(),
    max_steps: z.int().min(1).max(1_000_000).optional().describe('Ends the run before its epochs do'),
    max_seq_length: RowTokens.optional().describe('Tokens at which rows are cut; left out: at most 2048'),
  })
  .openapi('EstimateTraining', {
    example: {
      dataset_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
      gpu_config: { type: 'A100-80GB', count: 1 },
      hyperparameters: { learning_rate: 5e-5, batch_size: 4, epochs: 3, rank: 16 },
    },
  });

/** Hours as they are told: a second is 0.000278 of them. */
export const hoursOf = (value: number): number => Number(value.toFixed(6));

/** Of the formula itself: three passes of 7473 rows in batches of 4, on an A100. */
const SAMPLE = estimateTraining(
  { steps_per_epoch: 1869, total_steps: 5607 },
  { tokens: 1_240_000, dataset_bytes: 4_200_000, rank: 16 },
  { count: 1, ...GPU_CONFIGURATIONS['A100-80GB'] },
);

const Usd = z.number().describe('US dollars, to the cent');

export const TrainingEstimate = z
  .object({
    estimated_cost: Usd,
    cost_breakdown: z.object({ compute: Usd, storage: Usd }),
    estimated_duration_hours: z.number(),
    duration_breakdown: z.object({ training_hours: z.number(), overhead_hours: z.number() }),
    hourly_rate: Usd.describe('Of all devices together, in US dollars'),
    gpu_config: GPUConfig.describe('In the catalogue’s own words'),
    training_details: z.object({
      total_steps: z.int(),
      steps_per_epoch: z.int(),
      estimated_throughput_tokens_per_sec: z
        .number()
        .describe('Of all devices together, by the planner where the base model is known, else as the catalogue assumes'),
      estimated_tokens: z.int().describe('Tokens that the run sees'),
      tokens_counted: z.boolean().describe('false: guessed from the size of the file, for no tokenizer was there'),
      dataset_name: z.string(),
    }),
    ...memoryVerdict,
    constants: z
      .object({
        initialisation_s: z.number(),
        validation_s_per_epoch: z.number(),
        saving_s: z.number(),
        storage_usd_per_gb: z.number(),
        artifact_gb_per_rank: z.number(),
        bytes_per_token: z.number(),
        foreseen: z
          .object({
            process_s: z.number(),
            disk_bytes_per_s: z.number(),
            quantized_bytes_per_s: z.number(),
            tokenized_per_s: z.number(),
            checkpoint_s: z.number(),
            written_bytes_per_s: z.number(),
            saving_s: z.number(),
          })
          .describe('Of a known model on a known device, in place of the first three'),
      })
      .describe('What the figures stand on'),
  })
  .openapi('TrainingEstimate', {
    example: {
      estimated_cost: SAMPLE.cost.total,
      cost_breakdown: { compute: SAMPLE.cost.compute, storage: SAMPLE.cost.storage },
      estimated_duration_hours: hoursOf(SAMPLE.duration_hours),
      duration_breakdown: {
        training_hours: hoursOf(SAMPLE.training_hours),
        overhead_hours: hoursOf(SAMPLE.overhead_hours),
      },
      hourly_rate: SAMPLE.hourly_rate,
      gpu_config: { type: 'A100-80GB', count: 1 },
      training_details: {
        total_steps: SAMPLE.total_steps,
        steps_per_epoch: SAMPLE.steps_per_epoch,
        estimated_throughput_tokens_per_sec: SAMPLE.tokens_per_second,
        estimated_tokens: SAMPLE.tokens,
        tokens_counted: SAMPLE.tokens_counted,
        dataset_name: 'Questions',
      },
      verdict: null,
      interval_mb: null,
      advice: [],
      evidence: { runs: 0 },
      constants: ESTIMATE_CONSTANTS,
    },
  });
export type TrainingEstimate = z.infer<typeof TrainingEstimate>;

export const estimateJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/estimate',
  tags: ['jobs'],
  summary: 'What a training would take: steps, hours, dollars',
  request: { body: { required: true, content: { 'application/json': { schema: EstimateBody } } } },
  responses: {
    200: {
      description: 'The estimate',
      content: { 'application/json': { schema: z.object({ success: z.literal(true), data: TrainingEstimate }) } },
    },
  },
  faults: [404, 'dataset_not_ready', 'dataset_not_training_ready', 422, 429],
});
