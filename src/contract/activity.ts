/** Door C's feed of what happened. */
import { z } from '@hono/zod-openapi';
import { ACTIVITY_TYPES, CLIENT_ENTITY_TYPES, ENTITY_TYPES, isToldOf } from '#/domain/activity.ts';
import { PAGE_LIMIT_MAX } from '#/domain/constants.ts';
import { Description } from '#/domain/dataset-options.ts';
import { Metadata } from '#/domain/labels.ts';
import { PlainLine } from '#/domain/plain-text.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, IdParam, Instant, ListQuery, PageFields, WholeQueryOr, YesOrNo } from './common.ts';
import { declareRoute } from './declare-route.ts';

const FEED_LIMIT_DEFAULT = 100;

export const Activity = z
  .object({
    id: z.uuid(),
    event_type: z.enum(ACTIVITY_TYPES),
    entity_type: z.enum(ENTITY_TYPES),
    entity_id: z.uuid(),
    title: z.string(),
    message: z.string(),
    status: z.string().nullable().describe('Of the thing, as it was then'),
    user_id: z.uuid(),
    project_id: z.uuid().nullable(),
    metadata: Metadata.describe('`source` says who told it: system or client'),
    read: z.boolean(),
    created_at: Instant,
  })
  .openapi('Activity');
export type Activity = z.infer<typeof Activity>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listActivityRoute = declareRoute({
  method: 'get',
  path: '/api/activity',
  tags: ['activity'],
  summary: 'What happened to one’s own things, newest first',
  request: {
    query: z.strictObject({
      limit: WholeQueryOr(1, PAGE_LIMIT_MAX, FEED_LIMIT_DEFAULT),
      offset: ListQuery.offset,
      after: ListQuery.after,
      event_type: z.enum(ACTIVITY_TYPES).optional(),
      entity_type: z.enum(ENTITY_TYPES).optional(),
      user_id: z.uuid().optional().describe('Oneself: nobody sees what others did'),
      project_id: z.uuid().optional(),
      unread_only: YesOrNo.optional(),
    }),
  },
  responses: { 200: answers(z.object({ activities: z.array(Activity), ...PageFields }), 'One page') },
});

export const CreateActivity = z
  .strictObject({
    event_type: z.enum(ACTIVITY_TYPES),
    entity_type: z.enum(CLIENT_ENTITY_TYPES),
    entity_id: z.uuid().describe('Of a thing of your own'),
    title: ResourceName.optional().describe('The event’s own when absent'),
    message: Description.optional(),
    status: PlainLine.max(60, 'must have at most 60 characters').nullable().optional(),
    user_id: z.uuid().optional().describe('Oneself: an activity is its teller’s'),
    project_id: z.uuid().nullable().optional(),
    metadata: Metadata.optional(),
  })
  .refine(({ event_type, entity_type }) => isToldOf(event_type, entity_type), {
    path: ['entity_type'],
    message: 'is no thing that this event happens to',
  })
  .openapi('CreateActivity', {
    example: { event_type: 'job_completed', entity_type: 'job', entity_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11' },
  });

export const createActivityRoute = declareRoute({
  method: 'post',
  path: '/api/activity',
  tags: ['activity'],
  summary: 'Tell of something that happened; what the system told already is answered, not doubled',
  request: { headers: IdempotencyKey, body: { required: true, content: { 'application/json': { schema: CreateActivity } } } },
  responses: { 201: answers(Activity, 'The activity') },
  faults: [404],
});

export const readActivityRoute = declareRoute({
  method: 'post',
  path: '/api/activity/{id}/mark-read',
  tags: ['activity'],
  summary: 'Mark one as read',
  request: { params: IdParam },
  responses: { 200: answers(Activity, 'The activity') },
  faults: [404],
});

export const readAllActivityRoute = declareRoute({
  method: 'post',
  path: '/api/activity/mark-all-read',
  tags: ['activity'],
  summary: 'Mark everything as read, or everything of one project',
  request: {
    body: {
      required: false,
      content: {
        'application/json': {
          schema: z
            .strictObject({ user_id: z.uuid().optional().describe('Oneself'), project_id: z.uuid().optional() })
            .openapi('MarkAllRead', { example: {} }),
        },
      },
    },
  },
  responses: { 200: answers(z.object({ marked_read: z.int() }), 'How many were not read before') },
});
