import { type QueuedJob, queueRoute } from '#/contract/queue.ts';
import { WAIT_WORDS } from '#/domain/queue.ts';
import { listQueue, type QueuedJob as QueuedJobRow } from '#/services/jobs/list-queue.ts';
import type { RouteModule } from './api-env.ts';

const present = ({ id, queued_at, reason, predicted_start, ...job }: QueuedJobRow): QueuedJob => ({
  job_id: id,
  ...job,
  queued_at: queued_at.toISOString(),
  reason,
  message: WAIT_WORDS[reason],
  predicted_start_at: 'at' in predicted_start ? predicted_start.at.toISOString() : null,
  unpredicted_because: 'at' in predicted_start ? null : predicted_start.unpredicted,
});

/** What waits. */
export const queueRoutes: RouteModule = (api) => {
  api.openapi(queueRoute, async (c) => {
    const { limit, offset, after } = c.req.valid('query');
    const { jobs, total, next_cursor } = await listQueue(c.var.ctx, { limit, offset, after });
    return c.json({ queue: jobs.map(present), ...total, limit, offset, next_cursor }, 200);
  });
};
