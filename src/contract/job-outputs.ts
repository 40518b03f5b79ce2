/** What a training makes on its way, beside its curve and its log. */
import { z } from '@hono/zod-openapi';
import { SAMPLE_IMAGE_REFUSALS, type SampleImageRefusal } from '#/domain/sample-images.ts';
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

/** What a language model answers, and what an image model draws. */
export const SAMPLE_KINDS = ['text', 'image'] as const;
const REFUSALS = Object.keys(SAMPLE_IMAGE_REFUSALS) as [SampleImageRefusal];

export const TrainingSample = z
  .object({
    ...found,
    kind: z.enum(SAMPLE_KINDS),
    prompt: z.string(),
    text: z.string().nullable().describe('What a language model answered; null of a picture'),
    seed: z.int().nullable().describe('What the picture was drawn on, the same at every step; null of a text'),
    width: z.int().nullable(),
    height: z.int().nullable(),
    bytes: z.int().nullable(),
    image_url: z
      .string()
      .nullable()
      .describe('Where the picture is; null of a text, and of a picture that is not stored yet, or never')
      .openapi({ example: '/api/jobs/6f0b9d7e-8c1a-4d7a-9a53-0f7f0a1c2b3d/samples/12/image' }),
    not_kept: z
      .object({ code: z.enum(REFUSALS), message: z.string() })
      .nullable()
      .describe('Why a picture is not kept; null: it is, or will be'),
  })
  .openapi('TrainingSample', {
    example: {
      id: 12,
      attempt: 1,
      step: 100,
      created_at: '2026-03-01T12:00:00.000Z',
      kind: 'image',
      prompt: 'a photo of sks teapot in the jungle',
      text: null,
      seed: 42,
      width: 512,
      height: 512,
      bytes: 412_334,
      image_url: '/api/jobs/6f0b9d7e-8c1a-4d7a-9a53-0f7f0a1c2b3d/samples/12/image',
      not_kept: null,
    },
  });
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
  summary: 'What the model made of the training’s sample prompts: texts at each evaluation, pictures every so many steps',
  request: { params: IdParam, query },
  responses: { 200: answers(z.object({ samples: z.array(TrainingSample), next_after: NextAfter })) },
  faults: [404],
});

const SAMPLES_MAX = 999_999_999;

export const sampleImageRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/samples/{n}/image',
  tags: ['jobs'],
  summary: 'A picture that a training drew: GET and HEAD, with Range',
  request: {
    params: IdParam.extend({
      n: z
        .string()
        .regex(/^[1-9]\d{0,8}$/, 'must be the id of a sample, from 1')
        .transform(Number)
        .openapi({ type: 'integer', minimum: 1, maximum: SAMPLES_MAX, example: 2, param: { name: 'n', in: 'path' } }),
    }),
    query: z.strictObject({}),
    headers: z.object({
      range: z.string().max(1000).optional(),
      'if-range': z.string().max(200).optional(),
      'if-none-match': z.string().max(1000).optional(),
    }),
  },
  responses: {
    200: { description: 'The whole picture', content: { 'image/png': { schema: z.any() } } },
    206: { description: 'A part of it', content: { 'image/png': { schema: z.any() } } },
    304: { description: 'It is still the one of If-None-Match' },
  },
  faults: [404, 416, 429],
});
