/** What waits, and why. */
import { z } from '@hono/zod-openapi';
import { UNPREDICTED_REASONS, WAIT_REASONS } from '#/domain/queue.ts';
import { Instant, PageFields, PageQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';

export const QueuedJob = z
  .object({
    job_id: z.uuid(),
    name: z.string(),
    priority: z.int(),
    queued_at: Instant,
    position: z
      .int()
      .nullable()
      .describe('Its place among your own jobs, from 1; null for one that is held or waits for its model'),
    reason: z.enum(WAIT_REASONS),
    message: z.string().describe('The reason as a sentence'),
    predicted_start_at: Instant.nullable().describe(
      'At the earliest, by the runs that are known now, rounded up to whole minutes',
    ),
    unpredicted_because: z
      .enum(UNPREDICTED_REASONS)
      .nullable()
      .describe(
        'Why predicted_start_at is null. nothing_starts: no worker, device or disk takes work; unknown_end: a run before it has not told when it ends; too_far: more than a hundred of your jobs are before it',
      ),
  })
  .openapi('QueuedJob', {
    example: {
      job_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11',
      name: 'Questions, second try',
      priority: 0,
      queued_at: '2026-03-01T10:00:00.000Z',
      position: 1,
      reason: 'active_limit',
      message: 'As many of your jobs as may run at once are running: it starts when one of them ends.',
      predicted_start_at: '2026-03-01T10:42:00.000Z',
      unpredicted_because: null,
    },
  });
export type QueuedJob = z.infer<typeof QueuedJob>;

export const queueRoute = declareRoute({
  method: 'get',
  path: '/api/queue',
  tags: ['jobs'],
  summary: 'Own jobs that wait, in the order in which they start, with why they wait and when they start',
  request: { query: z.strictObject(PageQuery) },
  responses: {
    200: {
      description: 'One page',
      content: {
        'application/json': {
          schema: z.object({
            queue: z.array(QueuedJob),
            ...PageFields,
          }),
        },
      },
    },
  },
});
