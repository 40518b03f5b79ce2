/** How well what was foretold of trainings held. */
import { z } from '@hono/zod-openapi';
import { Accuracy } from '#/domain/foresight/learning/accuracy.ts';
import { RUN_METHODS } from '#/domain/foresight/run-shape.ts';
import { TERMINAL_JOB_STATUSES } from '#/domain/statuses.ts';
import { Instant, PageFields, PageQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';

const Kind = {
  gpu: z
    .string()
    .describe('Where it ran: the catalogue’s name, or the driver’s of a device that it does not have')
    .openapi({ example: 'L4' }),
  stack_version: z
    .string()
    .describe('Libraries and trainer, as they decide bytes and seconds')
    .openapi({ example: 'torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0' }),
  method: z.enum(RUN_METHODS),
};

/** One figure of one run: what was told, and what came. */
const Compared = z
  .object({
    figure: z.number(),
    low: z.number(),
    high: z.number(),
    measured: z.number(),
    covered: z.boolean().describe('Whether it lay in the interval'),
  })
  .openapi('Compared');

const AccuracyPoint = z
  .object({
    id: z.uuid().describe('The job’s'),
    job: z.object({ id: z.uuid(), name: z.string() }).nullable().describe('null: deleted since'),
    outcome: z.enum(TERMINAL_JOB_STATUSES),
    ...Kind,
    memory: Compared.nullable().describe('Bytes of the device at its fullest; null: not measured, or on another device'),
    memory_at_least: z.number().nullable().describe('It ran out of memory: bytes that the device has, which were too few'),
    seconds_per_step: Compared.nullable(),
    hours: Compared.nullable().describe('Of a completed training, all attempts together'),
    cost: Compared.nullable().describe('US dollars of a completed training'),
    created_at: Instant,
  })
  .openapi('AccuracyPoint');
export type AccuracyPoint = z.infer<typeof AccuracyPoint>;

const AccuracyFigures = Accuracy.omit({ residuals: true }).openapi('AccuracyFigures', {
  description: 'Errors are |measured ÷ foretold − 1|; covered: how many lay in the interval that nine of ten should lie in',
  example: { runs: 14, covered: 13, median_error: 0.021, p95_error: 0.08, worst_error: 0.11 },
});

const AccuracyGroup = z.object({ ...Kind, memory: AccuracyFigures, time: AccuracyFigures }).openapi('AccuracyGroup');
export type AccuracyGroup = z.infer<typeof AccuracyGroup>;

export const listAccuracyRoute = declareRoute({
  method: 'get',
  path: '/api/accuracy',
  tags: ['accuracy'],
  summary: 'Foretold and measured: one’s own finished trainings, newest first, and what all of the installation say together',
  request: {
    query: z.strictObject({
      gpu: z.string().min(1).max(200).optional(),
      method: z.enum(RUN_METHODS).optional(),
      ...PageQuery,
    }),
  },
  responses: {
    200: {
      description: 'One page',
      content: {
        'application/json': {
          schema: z.object({
            points: z.array(AccuracyPoint),
            groups: z
              .array(AccuracyGroup)
              .describe('Everybody’s runs by device, stack and method, the newest kind first: at most 200'),
            gpus: z.array(Kind.gpu).describe('Every device that the groups have, whatever is asked for'),
            ...PageFields,
          }),
        },
      },
    },
  },
});
