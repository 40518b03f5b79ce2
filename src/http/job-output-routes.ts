import { jobCheckpointsRoute, jobSamplesRoute } from '#/contract/job-outputs.ts';
import { readCheckpoints, readSamples } from '#/services/jobs/read-outputs.ts';
import type { RouteModule } from './api-env.ts';
import { inDoorsEnvelope } from './job-door-c.ts';

const told = <T extends { created_at: Date }>(row: T) => ({ ...row, created_at: row.created_at.toISOString() });

/** What a training makes on its way. */
export const jobOutputRoutes: RouteModule = (api) => {
  api.openapi(jobCheckpointsRoute, async (c) => {
    const { rows, next_after } = await readCheckpoints(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    return c.json(inDoorsEnvelope(c, { checkpoints: rows.map(told), next_after }), 200);
  });
  api.openapi(jobSamplesRoute, async (c) => {
    const { rows, next_after } = await readSamples(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    return c.json(inDoorsEnvelope(c, { samples: rows.map(told), next_after }), 200);
  });
};
