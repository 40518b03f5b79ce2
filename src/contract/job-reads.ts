import { z } from '@hono/zod-openapi';
import { CURVE_POINTS_MAX, CURVE_POINTS_MIN } from '#/domain/metric-figures.ts';
import { ByteOffset, eitherWay, IdParam, Instant, NextAfter, PageLimit, View, WholeQuery, WholeQueryOr } from './common.ts';
import { declareRoute } from './declare-route.ts';
import { answers } from './jobs.ts';

export const MetricPoint = z
  .object({
    attempt: z.int(),
    seq: z.int(),
    step: z.int(),
    epoch: z.number().nullable(),
    timestamp: Instant,
    loss: z.number().nullable(),
    eval_loss: z.number().nullable(),
    learning_rate: z.number().nullable(),
    grad_norm: z.number().nullable(),
    tokens_per_second: z.number().nullable(),
    samples_per_second: z.number().nullable(),
    gpu_memory_mb: z.number().nullable(),
    peak_memory_mb: z.number().nullable(),
    extra: z.record(z.string(), z.unknown()).nullable().describe('What else its trainer said: eval_seconds, nonfinite'),
  })
  .openapi('MetricPoint');
export type MetricPoint = z.infer<typeof MetricPoint>;

export const jobMetricsRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/metrics',
  tags: ['jobs'],
  summary: 'The curve of the surviving line of attempts, thinned to at most `points` of them without losing a peak of any figure',
  request: {
    params: IdParam,
    query: z.strictObject({
      from: WholeQueryOr(0, 999_999_999, 0),
      to: WholeQuery(0, 999_999_999).optional(),
      points: WholeQueryOr(CURVE_POINTS_MIN, CURVE_POINTS_MAX, 2000),
      view: View,
    }),
  },
  responses: {
    200: answers(
      eitherWay(
        z.object({ points: z.array(MetricPoint), total: z.int().describe('Points that there are between the two steps') }),
      ),
      'Points by step',
    ),
  },
  faults: [404],
});

export const jobLogsRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/logs',
  tags: ['jobs'],
  summary: 'Log text of one attempt from a byte offset',
  request: {
    params: IdParam,
    query: z.strictObject({ after: ByteOffset, attempt: WholeQuery(1, 32_767).optional(), view: View }),
  },
  responses: {
    200: answers(
      eitherWay(
        z.object({
          attempt: z.int(),
          text: z.string(),
          next: z.int().describe('The offset to ask from next time'),
          size: z.int().describe('Bytes that the log has now'),
        }),
      ),
      'At most 256 KB of whole lines',
    ),
  },
  faults: [404],
});

export const JobEvent = z
  .object({
    seq: z.int(),
    type: z.string(),
    from_status: z.string().nullable(),
    to_status: z.string().nullable(),
    attempt: z.int(),
    message: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    created_at: Instant,
  })
  .openapi('JobEvent');

export const jobEventsRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/events',
  tags: ['jobs'],
  summary: 'What happened to the job, numbered without gaps',
  request: {
    params: IdParam,
    query: z.strictObject({ after: WholeQueryOr(0, 999_999_999, 0), limit: PageLimit, view: View }),
  },
  responses: { 200: answers(eitherWay(z.object({ events: z.array(JobEvent), next_after: NextAfter })), 'Events in order') },
  faults: [404],
});

/** Where a stream goes on: attempt and number of the last point, attempt and byte of the log. The stream itself refuses all else. */
const LastEventId = z.string().max(200).openapi({ pattern: '^[0-9]{1,5}\\.[0-9]{1,9}\\.[0-9]{1,5}\\.(-1|[0-9]{1,12})$' });

/** What stands between two empty lines of the stream. */
const StreamEvent = z
  .object({
    event: z.enum(['hello', 'job', 'metrics', 'log', 'gone']),
    data: z
      .string()
      .describe('JSON: of `job` the whole job, of `metrics` its new points, of `log` new text, of `gone` the reason'),
    id: z.string().optional().describe('Send the last one as Last-Event-ID'),
    retry: z.int().optional().describe('Milliseconds to wait before connecting again'),
  })
  .openapi('JobStreamEvent', { example: { event: 'metrics', id: '1.20.1.4096', data: '{"points":[{"step":20,"loss":1.73}]}' } });

export const jobStreamRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/stream',
  tags: ['jobs'],
  summary: 'Live: server-sent events `job`, `metrics`, `log`, `gone`; resumes with Last-Event-ID',
  request: {
    params: IdParam,
    query: z.strictObject({ view: View }),
    headers: z.object({ 'last-event-id': LastEventId.optional() }),
  },
  responses: {
    200: {
      description: 'Each `id` is a cursor over points and log bytes: nothing is sent twice or left out across reconnects',
      content: { 'text/event-stream': { schema: StreamEvent } },
    },
  },
  faults: [404],
});
