/** What becomes of a job on its owner's word, beside its end. */
import { z } from '@hono/zod-openapi';
import { Priority, ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, IdParam, View } from './common.ts';
import { declareRoute } from './declare-route.ts';
import { ToldJob } from './jobs.ts';

const asOneTells = (description: string) => ({ description, content: { 'application/json': { schema: ToldJob } } });
const query = z.strictObject({ view: View });

export const startJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/{id}/start',
  tags: ['jobs'],
  summary: 'Let a held job start as soon as there is a place for it',
  request: { params: IdParam, query },
  responses: { 200: asOneTells('The job, held no more') },
  faults: [404, 'job_already_final', 409, 429],
});

export const pauseJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/{id}/pause',
  tags: ['jobs'],
  summary: 'Stop a training at its next checkpoint, free its place, and keep it until it is resumed',
  request: { params: IdParam, query },
  responses: { 200: asOneTells('The job, held or with its wish noted') },
  faults: [404, 409, 'job_already_final'],
});

export const resumeJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/{id}/resume',
  tags: ['jobs'],
  summary: 'Let a paused job go on from its last checkpoint, as if it had never stopped',
  request: { params: IdParam, query },
  responses: { 200: asOneTells('The job, in the queue again') },
  faults: [404, 409, 'job_already_final', 429],
});

export const CloneJobBody = z
  .strictObject({
    name: ResourceName.optional().describe('The job’s own when absent'),
    priority: Priority.optional().describe('The job’s own when absent'),
    start: z.boolean().optional().describe('true when absent; false: stored and held until it is started'),
  })
  .openapi('CloneJob', { example: { name: 'The same once more', start: false } });

export const cloneJobRoute = declareRoute({
  method: 'post',
  path: '/api/jobs/{id}/clone',
  tags: ['jobs'],
  summary: 'A new job of the same spec, whatever became of this one',
  request: {
    params: IdParam,
    query,
    headers: IdempotencyKey,
    body: { required: false, content: { 'application/json': { schema: CloneJobBody } } },
  },
  responses: { 201: asOneTells('The new job') },
  faults: [
    404,
    409,
    'dataset_not_ready',
    'dataset_not_training_ready',
    'base_model_not_ready',
    'training_image_not_ready',
    422,
    'base_model_required',
    'preflight_failed',
    429,
  ],
});
