/** What a training makes on its way, beside its curve and its log. */
import { z } from '@hono/zod-openapi';
import { eitherWay, IdParam, Instant, NextAfter, PageLimit, View, WholeQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';

const found = {
  id: z.int().describe('The number of its event: see /api/jobs/{id}/events'),
  attempt: z.int(),
  step: z.int(),
  created_at: Instant,
};

export const Checkpoint = z
  .object({
    ...found,
    bytes: z.int(),
    kept: z.boolean().describe('Its files are there still: the newest stay while it trains, and the last of it afterwards'),
  })
  .openapi('Checkpoint');
export type Checkpoint = z.infer<typeof Checkpoint>;

export const TrainingSample = z.object({ ...found, prompt: z.string(), text: z.string() }).openapi('TrainingSample');
export type TrainingSample = z.infer<typeof TrainingSample>;

const query = z.strictObject({ after: WholeQuery(0, 999_999_999).default(0), limit: PageLimit, view: View });
const answers = <T extends z.ZodType>(data: T) => ({
  description: 'In the order in which they were made',
  content: { 'application/json': { schema: eitherWay(data) } },
});

export const jobCheckpointsRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/checkpoints',
  tags: ['jobs'],
  summary: 'The checkpoints that a training wrote, of all its attempts',
  request: { params: IdParam, query },
  responses: { 200: answers(z.object({ checkpoints: z.array(Checkpoint), next_after: NextAfter })) },
  faults: [404],
});

export const jobSamplesRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/samples',
  tags: ['jobs'],
  summary: 'What the model answered to the training’s sample prompts at each evaluation',
  request: { params: IdParam, query },
  responses: { 200: answers(z.object({ samples: z.array(TrainingSample), next_after: NextAfter })) },
  faults: [404],
});
