import { cloneJobRoute, pauseJobRoute, resumeJobRoute, startJobRoute } from '#/contract/job-verbs.ts';
import { cloneJob } from '#/services/jobs/clone-job.ts';
import { pauseJob } from '#/services/jobs/pause-job.ts';
import { startJob } from '#/services/jobs/start-job.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';
import { toldByDoor } from './job-door-c.ts';

/** What becomes of a job on its owner's word. */
export const jobVerbRoutes: RouteModule = (api) => {
  api.openapi(startJobRoute, async (c) => c.json(toldByDoor(c, await startJob(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(pauseJobRoute, async (c) => c.json(toldByDoor(c, await pauseJob(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(resumeJobRoute, async (c) => c.json(toldByDoor(c, await startJob(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(cloneJobRoute, async (c) => {
    const { id } = c.req.valid('param');
    const changes = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/jobs/{id}/clone',
      request: () => ({ id, ...changes }),
      make: (hooks) => cloneJob(c.var.ctx, id, changes, hooks),
      present: (job) => toldByDoor(c, job),
    });
  });
};
