import { metricsRoute } from '#/contract/system.ts';
import type { RouteModule } from './api-env.ts';
import { METRICS_TYPE, type Metrics } from './metrics.ts';

/** What Prometheus asks, with an administrator's key. */
export const metricsRoutes =
  (metrics: Metrics): RouteModule =>
  (api) => {
    api.openapi(metricsRoute, async (c) => c.text(await metrics.tell(c.var.ctx), 200, { 'Content-Type': METRICS_TYPE }));
  };
