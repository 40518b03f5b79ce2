/** What one's trainings cost. */
import { z } from '@hono/zod-openapi';
import { COST_VIEWS } from '#/domain/costs.ts';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { PageFields, PageQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';

const Usd = z.number().describe('US dollars, to the cent');
const Month = z.string().regex(/^[1-9]\d{3}-(0[1-9]|1[0-2])$/, 'must be a month such as 2026-03');

/** Where the list of costs goes on: behind a month, or behind a job's part in it. */
const Cursor = z
  .string()
  .regex(
    /^[1-9]\d{3}-(0[1-9]|1[0-2])(_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?$/,
    'must be the next_cursor of an earlier page',
  );

const Costs = z
  .object({
    billing_period: Month.describe('The month, in UTC'),
    job: z
      .object({ id: z.uuid(), name: z.string(), status: z.enum(JOB_STATUSES) })
      .nullable()
      .describe('null where months are told'),
    jobs: z.int().describe('How many trainings are in it'),
    compute: z.object({ hours: z.number(), amount: Usd }),
    storage: z.object({ gb: z.number(), amount: Usd }),
    amount: Usd,
  })
  .openapi('Costs');

export const listCostsRoute = declareRoute({
  method: 'get',
  path: '/api/costs',
  tags: ['costs'],
  summary: 'What one’s trainings cost, newest month first: by month, or each job’s part in each month',
  request: {
    query: z.strictObject({
      by: z.enum(COST_VIEWS).default('month'),
      billing_period: Month.optional(),
      job_id: z.uuid().optional(),
      ...PageQuery,
      after: Cursor.optional()
        .describe('next_cursor of the page before, of the same `by`; counts before offset')
        .openapi({ example: '2026-02' }),
    }),
  },
  responses: {
    200: {
      description: 'One page',
      content: {
        'application/json': {
          schema: z.object({
            costs: z.array(Costs),
            amount: Usd.describe('Of all pages together'),
            ...PageFields,
            next_cursor: Cursor.nullable().describe('Sent as `after` it gets the next page; null: there is none'),
          }),
        },
      },
    },
  },
});
