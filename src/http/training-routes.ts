import { getTrainingRoute, submitTrainingRoute } from '#/contract/training.ts';
import { awaitLaunch } from '#/services/jobs/await-launch.ts';
import { createJob } from '#/services/jobs/create-job.ts';
import { getJob } from '#/services/jobs/get-job.ts';
import type { RouteModule } from './api-env.ts';
import { makeOnce } from './idempotency.ts';
import { inWordsOfDoorA, presentSubmission, presentTraining, specOfDoorA } from './job-door-a.ts';

/** Door A. */
export const trainingRoutes: RouteModule = (api) => {
  api.openapi(submitTrainingRoute, async (c) => {
    const body = c.req.valid('json');
    const { ctx } = c.var;
    return makeOnce(c, () => 200, {
      route: 'POST /api/training/submit',
      request: () => body,
      make: (hooks) =>
        createJob(ctx, specOfDoorA(body, new Date()), { ...hooks, tells_foreign_dataset: true }).catch(inWordsOfDoorA),
      present: async ({ job }) => presentSubmission(await awaitLaunch(ctx, job.id, c.req.raw.signal)),
    });
  });
  api.openapi(getTrainingRoute, async (c) => {
    const job = await getJob(c.var.ctx, c.req.valid('param').id);
    return c.json(presentTraining(job), 200);
  });
};
