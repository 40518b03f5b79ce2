import { listCostsRoute } from '#/contract/costs.ts';
import { listCosts } from '#/services/costs/list-costs.ts';
import type { RouteModule } from './api-env.ts';

/** What trainings cost: written by the worker alone, read by whose they are. */
export const costRoutes: RouteModule = (api) => {
  api.openapi(listCostsRoute, async (c) => {
    const query = c.req.valid('query');
    const { limit, offset } = query;
    return c.json({ ...(await listCosts(c.var.ctx, query)), limit, offset }, 200);
  });
};
