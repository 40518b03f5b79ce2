import { preflightRoute } from '#/contract/wizard.ts';
import { preflightTraining } from '#/services/experiments/judge-training.ts';
import type { RouteModule } from './api-env.ts';

/** Door C's preflight: what the setup wizard shows before it submits. */
export const wizardRoutes: RouteModule = (api) => {
  api.openapi(preflightRoute, async (c) => {
    const { strategy: type, mixed_precision, ...resources } = c.req.valid('json').resources;
    const asked = { ...c.req.valid('json'), resources, strategy: { type, mixed_precision } };
    return c.json(await preflightTraining(c.var.ctx, asked), 200);
  });
};
