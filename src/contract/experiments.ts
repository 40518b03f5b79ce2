/** Door C's experiments: a submission and all that was tried again of it. */
import { z } from '@hono/zod-openapi';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { IdParam, Instant, ListQuery, PageFields } from './common.ts';
import { declareRoute } from './declare-route.ts';

/** Statuses of jobs in door C's words. */
export const WIZARD_STATUSES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;

const ExperimentJob = z
  .object({
    id: z.uuid(),
    name: z.string(),
    status: z.enum(WIZARD_STATUSES),
    progress: z.number().describe('Percent, 0 to 100'),
    artifact_id: z.uuid().nullable(),
    created_at: Instant,
  })
  .openapi('ExperimentJob');

export const Experiment = z
  .object({
    id: z.uuid(),
    name: z.string(),
    project_id: z.uuid().nullable(),
    recipe_id: z.uuid(),
    base_model_id: z.uuid().nullable().describe('Of its newest job'),
    dataset_id: z.uuid().nullable(),
    status: z.enum(WIZARD_STATUSES).nullable().describe('Of its newest job'),
    jobs_by_status: z.object(
      Object.fromEntries(JOB_STATUSES.map((status) => [status, z.int()])) as Record<(typeof JOB_STATUSES)[number], z.ZodInt>,
    ),
    jobs: z.array(ExperimentJob).describe('Newest first: in a list the newest alone, otherwise at most 100'),
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('Experiment');
export type Experiment = z.infer<typeof Experiment>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listExperimentsRoute = declareRoute({
  method: 'get',
  path: '/api/experiments',
  tags: ['experiments'],
  summary: 'Own experiments, newest first',
  request: { query: z.strictObject(ListQuery) },
  responses: { 200: answers(z.object({ experiments: z.array(Experiment), ...PageFields }), 'One page') },
});

export const getExperimentRoute = declareRoute({
  method: 'get',
  path: '/api/experiments/{id}',
  tags: ['experiments'],
  summary: 'One experiment with its jobs',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Experiment, 'The experiment') },
  faults: [404],
});
