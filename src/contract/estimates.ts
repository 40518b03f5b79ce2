/** Door B's estimate: what a training would take, before it is asked for. */
import { z } from '@hono/zod-openapi';
import { EstimatedHyperparameters } from '#/domain/hyperparameters.ts';
import { GPUConfig } from '#/domain/training-spec.ts';
import { declareRoute } from './declare-route.ts';
import { memoryVerdict } from './memory-verdict.ts';

const EstimateBody = z
  .strictObject({
    dataset_id: z.uuid(),
    gpu_config: GPUConfig,
    hyperparameters: EstimatedHyperparameters,
    base_model_id: z.uuid().optional(),
  })
  .openapi('EstimateTraining', {
    example: {
      dataset_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
      gpu_config: { type: 'A100-80GB', count: 1 },
      hyperparameters: { learning_rate: 5e-5, batch_size: 4, epochs: 3, rank: 16 },
    },
  });

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
      estimated_throughput_tokens_per_sec: z.number().describe('Of all devices together, as the catalogue assumes'),
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
      })
      .describe('What the figures stand on'),
  })
  .openapi('TrainingEstimate');
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
  faults: [404, 'dataset_not_ready', 'dataset_not_training_ready', 429],
});
