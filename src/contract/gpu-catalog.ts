/** What trainings are priced on. */
import { z } from '@hono/zod-openapi';
import { Corrections } from '#/domain/foresight/learning/correction.ts';
import { GpuFigures, GpuName } from '#/domain/gpu-catalog.ts';
import { IdempotencyKey } from './common.ts';
import { declareRoute } from './declare-route.ts';

export const Gpu = z
  .object({
    type: z.string(),
    aliases: z.array(z.string()),
    hourly_rate: z.number().describe('US dollars an hour for one of them'),
    tokens_per_second: z.number().describe('Of one of them, assumed while no model is known'),
    memory_gb: z.number().nullable().describe('GB (1e9 bytes) of one of them, as the planner counts; null: not known'),
    like: z.string().nullable().describe('The known device that it computes like; null: memory and time are not foretold on it'),
    origin: z
      .enum(['built_in', 'changed', 'added'])
      .describe('changed: one that comes along, with an administrator’s figures; removing it brings its own back'),
  })
  .openapi('Gpu', {
    example: {
      type: 'A100-80GB',
      aliases: ['a100'],
      hourly_rate: 3.5,
      tokens_per_second: 1800,
      memory_gb: 85,
      like: 'A100-80GB',
      origin: 'built_in',
    },
  });
export type Gpu = z.infer<typeof Gpu>;

const ToldCorrections = z.object(Corrections.shape).openapi('Corrections', {
  description:
    'What finished runs say of the planner’s formulas, ln(measured ÷ formula): all of the installation’s by kind, and the caller’s own by their features. With it a browser foretells as the server does',
  example: { groups: [], own: [] },
});

const AddGpuBody = GpuFigures.extend({
  type: GpuName,
  aliases: GpuFigures.shape.aliases.default([]),
  memory_gb: GpuFigures.shape.memory_gb.default(null),
  like: GpuFigures.shape.like.default(null),
}).openapi('AddGpu', {
  example: { type: 'RTX-6000-Ada', aliases: ['6000'], hourly_rate: 0.9, tokens_per_second: 1400, memory_gb: 51, like: 'L40S' },
});
const ChangeGpuBody = GpuFigures.partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must have at least one field to change')
  .openapi('ChangeGpu', { minProperties: 1, example: { hourly_rate: 0.15 } });

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const params = z.object({ type: GpuName });

export const listGpusRoute = declareRoute({
  method: 'get',
  path: '/api/gpu-catalog',
  tags: ['gpus'],
  summary: 'Every device that a training can be priced on: at most a few more than a hundred',
  request: { query: z.strictObject({}) },
  responses: { 200: answers(z.object({ gpus: z.array(Gpu), total: z.int(), corrections: ToldCorrections }), 'The catalogue') },
});

export const addGpuRoute = declareRoute({
  method: 'post',
  path: '/api/gpu-catalog',
  tags: ['gpus'],
  summary: 'Add a device (administrators)',
  request: { headers: IdempotencyKey, body: { required: true, content: { 'application/json': { schema: AddGpuBody } } } },
  responses: { 201: answers(Gpu, 'Added') },
  faults: [403, 404, 409],
});

export const changeGpuRoute = declareRoute({
  method: 'patch',
  path: '/api/gpu-catalog/{type}',
  tags: ['gpus'],
  summary: 'Say another price, throughput or other names (administrators); jobs keep the price that they were asked at',
  request: { params, body: { required: true, content: { 'application/json': { schema: ChangeGpuBody } } } },
  responses: { 200: answers(Gpu, 'As it stands now') },
  faults: [403, 404, 409],
});

export const removeGpuRoute = declareRoute({
  method: 'delete',
  path: '/api/gpu-catalog/{type}',
  tags: ['gpus'],
  summary: 'Remove a device that was added, or what was said of one that comes along (administrators)',
  request: { params },
  responses: { 204: { description: 'Removed' } },
  faults: [403, 404, 409],
});
