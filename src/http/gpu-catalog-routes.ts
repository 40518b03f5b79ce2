import { addGpuRoute, changeGpuRoute, listGpusRoute, removeGpuRoute } from '#/contract/gpu-catalog.ts';
import { addGpu, changeGpu, removeGpu } from '#/services/gpu-catalog/change-gpu-catalog.ts';
import { listGpus } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';

/** What devices cost: everybody sees it, administrators say it. */
export const gpuCatalogRoutes: RouteModule = (api) => {
  api.openapi(listGpusRoute, async (c) => {
    const entries = await listGpus(c.var.ctx);
    return c.json({ gpus: entries.map((entry) => ({ ...entry, aliases: [...entry.aliases] })), total: entries.length }, 200);
  });
  api.openapi(addGpuRoute, async (c) => {
    const body = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/gpu-catalog',
      request: () => body,
      make: (hooks) => addGpu(c.var.ctx, body, hooks),
      present: (entry) => ({ ...entry, aliases: [...entry.aliases] }),
    });
  });
  api.openapi(changeGpuRoute, async (c) => {
    const entry = await changeGpu(c.var.ctx, c.req.valid('param').type, c.req.valid('json'));
    return c.json({ ...entry, aliases: [...entry.aliases] }, 200);
  });
  api.openapi(removeGpuRoute, async (c) => {
    await removeGpu(c.var.ctx, c.req.valid('param').type);
    return c.body(null, 204);
  });
};
