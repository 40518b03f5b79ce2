import { z } from '@hono/zod-openapi';
import { NOTIFICATION_PRIORITIES, NOTIFICATION_TYPES } from '#/domain/notifications.ts';
import { IdParam, Instant, PageFields, PageQuery, YesOrNo } from './common.ts';
import { declareRoute } from './declare-route.ts';

export const Notification = z
  .object({
    id: z.uuid(),
    type: z.enum(NOTIFICATION_TYPES),
    title: z.string(),
    message: z.string(),
    priority: z.enum(NOTIFICATION_PRIORITIES),
    read: z.boolean(),
    action_url: z.string().nullable().describe('The page that shows it'),
    metadata: z.record(z.string(), z.unknown()).describe('The ids of what it is about'),
    created_at: Instant,
  })
  .openapi('Notification', {
    example: {
      id: '0f7e1c5a-3c1e-4b8e-8a6f-6f7d1f6f2b10',
      type: 'job_completed',
      title: 'Training completed',
      message: 'First try',
      priority: 'normal',
      read: false,
      action_url: '/jobs/3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
      metadata: { job_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11' },
      created_at: '2026-01-31T12:00:00.000Z',
    },
  });
export type Notification = z.infer<typeof Notification>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listNotificationsRoute = declareRoute({
  method: 'get',
  path: '/api/notifications',
  tags: ['notifications'],
  summary: 'What happened to what you have, newest first',
  request: {
    query: z.strictObject({
      ...PageQuery,
      unread_only: YesOrNo.default(false),
      type: z.enum(NOTIFICATION_TYPES).optional(),
    }),
  },
  responses: {
    200: answers(
      z.object({
        notifications: z.array(Notification),
        unread: z.int().describe('Of every type'),
        ...PageFields,
      }),
      'One page',
    ),
  },
});

export const markNotificationReadRoute = declareRoute({
  method: 'post',
  path: '/api/notifications/{id}/mark-read',
  tags: ['notifications'],
  summary: 'Mark one as read; one that is read stays so',
  request: { params: IdParam },
  responses: { 200: answers(Notification, 'The notification, read') },
  faults: [404],
});

export const markAllNotificationsReadRoute = declareRoute({
  method: 'post',
  path: '/api/notifications/mark-all-read',
  tags: ['notifications'],
  summary: 'Mark all as read',
  responses: { 200: answers(z.object({ marked_read: z.int().describe('How many were unread') }), 'Marked') },
});
