/** What trainings may run in beside the trainer that comes along. */
import { z } from '@hono/zod-openapi';
import { TRAINING_IMAGE_STATUSES } from '#/domain/statuses.ts';
import { AskedTrainingImage } from '#/domain/training-images.ts';
import { IdempotencyKey, IdParam, Instant } from './common.ts';
import { declareRoute } from './declare-route.ts';

const Trains = z.object({
  model_kind: z.string(),
  methods: z.array(z.string()),
  strategies: z.array(z.string()),
  devices_max: z.int(),
});

export const TrainingImage = z
  .object({
    id: z.uuid(),
    name: z.string(),
    reference: z.string().describe('As the engine is asked for it'),
    digest: z
      .string()
      .nullable()
      .describe('The id of what was checked: trainings run in that, whatever the reference names later'),
    status: z.enum(TRAINING_IMAGE_STATUSES).describe('checking: a worker has yet to ask its trainer what it can do'),
    status_reason: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe('Why it is no good, or what keeps its check'),
    hello: z
      .object({ trainer: z.string(), protocols: z.array(z.int()), trains: z.array(Trains) })
      .nullable()
      .describe('What its trainer said of itself; null until it has'),
    checked_at: Instant.nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('TrainingImage', {
    example: {
      id: '5b1c7c0e-7d63-4c7a-8a53-2d7c9a3f1e90',
      name: 'Ours',
      reference: 'registry.example.org/team/trainer:3',
      digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
      status: 'ready',
      status_reason: null,
      hello: {
        trainer: 'team-trainer 3.1',
        protocols: [1],
        trains: [{ model_kind: 'causal-lm', methods: ['lora'], strategies: ['none'], devices_max: 1 }],
      },
      checked_at: '2026-03-01T12:00:00.000Z',
      created_at: '2026-03-01T11:59:00.000Z',
      updated_at: '2026-03-01T12:00:00.000Z',
    },
  });
export type TrainingImage = z.infer<typeof TrainingImage>;

// Made anew: what was made before the contract was read knows nothing of OpenAPI.
const AddImageBody = z.strictObject(AskedTrainingImage.shape).openapi('AddTrainingImage', {
  example: { name: 'Ours', reference: 'registry.example.org/team/trainer:3' },
});

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listImagesRoute = declareRoute({
  method: 'get',
  path: '/api/training-images',
  tags: ['jobs'],
  summary: 'What a training may name as training_image_id; to administrators every image of the list',
  request: { query: z.strictObject({}) },
  responses: {
    200: answers(z.object({ training_images: z.array(TrainingImage), total: z.int() }), 'By name: at most a hundred'),
  },
});

export const addImageRoute = declareRoute({
  method: 'post',
  path: '/api/training-images',
  tags: ['jobs'],
  summary:
    'List an image that trainings may name, once a worker has checked that it speaks the trainer protocol (administrators)',
  request: { headers: IdempotencyKey, body: { required: true, content: { 'application/json': { schema: AddImageBody } } } },
  responses: { 201: answers(TrainingImage, 'Listed; it is checked within seconds where a worker runs trainings in containers') },
  faults: [403, 404, 409],
});

export const checkImageRoute = declareRoute({
  method: 'post',
  path: '/api/training-images/{id}/check',
  tags: ['jobs'],
  summary: 'Check an image anew, as what its reference names now (administrators)',
  request: { params: IdParam },
  responses: { 200: answers(TrainingImage, 'To be checked') },
  faults: [403, 404],
});

export const removeImageRoute = declareRoute({
  method: 'delete',
  path: '/api/training-images/{id}',
  tags: ['jobs'],
  summary: 'Take an image off the list (administrators): what names it and has not begun fails when it would',
  request: { params: IdParam },
  responses: { 204: { description: 'Removed' } },
  faults: [403, 404],
});
