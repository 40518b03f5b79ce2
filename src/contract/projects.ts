import { z } from '@hono/zod-openapi';
import { Description } from '#/domain/dataset-options.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, IdParam, Instant, ListQuery, PageFields } from './common.ts';
import { declareRoute } from './declare-route.ts';

export const Project = z
  .object({ id: z.uuid(), name: z.string(), description: z.string(), created_at: Instant, updated_at: Instant })
  .openapi('Project');

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const { project: _none, ...Query } = ListQuery;

export const listProjectsRoute = declareRoute({
  method: 'get',
  path: '/api/projects',
  tags: ['projects'],
  summary: 'Own projects, newest first',
  request: { query: z.strictObject(Query) },
  responses: { 200: answers(z.object({ projects: z.array(Project), ...PageFields }), 'One page') },
});

export const createProjectRoute = declareRoute({
  method: 'post',
  path: '/api/projects',
  tags: ['projects'],
  summary: 'Make a project: datasets, experiments and activities are listed by it',
  request: {
    headers: IdempotencyKey,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .strictObject({ name: ResourceName, description: Description.default('') })
            .openapi('CreateProject', { example: { name: 'Support answers' } }),
        },
      },
    },
  },
  responses: { 201: answers(Project, 'The new project') },
  faults: ['limit_reached'],
});

export const getProjectRoute = declareRoute({
  method: 'get',
  path: '/api/projects/{id}',
  tags: ['projects'],
  summary: 'One project',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Project, 'The project') },
  faults: [404],
});

export const updateProjectRoute = declareRoute({
  method: 'patch',
  path: '/api/projects/{id}',
  tags: ['projects'],
  summary: 'Change its name or description',
  request: {
    params: IdParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .strictObject({ name: ResourceName.optional(), description: Description.optional() })
            .openapi('ProjectChanges', { example: { name: 'Answers' } }),
        },
      },
    },
  },
  responses: { 200: answers(Project, 'The project as it is now') },
  faults: [404],
});

export const deleteProjectRoute = declareRoute({
  method: 'delete',
  path: '/api/projects/{id}',
  tags: ['projects'],
  summary: 'Remove a project; what belongs to it stays; refused while base models are narrowed to it',
  request: { params: IdParam },
  responses: { 204: { description: 'Removed' } },
  faults: [404, 409],
});
