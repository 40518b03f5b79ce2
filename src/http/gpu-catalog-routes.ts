import { addGpuRoute, changeGpuRoute, listGpusRoute, removeGpuRoute } from '#/contract/gpu-catalog.ts';
import { GB } from '#/domain/bytes.ts';
import { knownName } from '#/domain/foresight/devices/known-devices.ts';
import { type CatalogEntry, factsOfGpu } from '#/domain/gpu-catalog.ts';
import { addGpu, changeGpu, removeGpu } from '#/services/gpu-catalog/change-gpu-catalog.ts';
import { listGpus } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';

/** An entry with what the planner makes of it. */
function presentGpu(entry: CatalogEntry) {
  const facts = factsOfGpu(entry);
  // What is told of an entry that is like nothing is told again, for whoever says later what it is like.
  const memory_gb = facts === null ? entry.memory_gb : Math.round((facts.memory_bytes / GB) * 10) / 10;
  return { ...entry, aliases: [...entry.aliases], memory_gb, like: knownName(entry.like ?? entry.type) };
}

/** What devices cost: everybody sees it, administrators say it. */
export const gpuCatalogRoutes: RouteModule = (api) => {
  api.openapi(listGpusRoute, async (c) => {
    const { gpus, corrections } = await listGpus(c.var.ctx);
    return c.json({ gpus: gpus.map(presentGpu), total: gpus.length, corrections }, 200);
  });
  api.openapi(addGpuRoute, async (c) => {
    const body = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/gpu-catalog',
      request: () => body,
      make: (hooks) => addGpu(c.var.ctx, body, hooks),
      present: presentGpu,
    });
  });
  api.openapi(changeGpuRoute, async (c) => {
    const entry = await changeGpu(c.var.ctx, c.req.valid('param').type, c.req.valid('json'));
    return c.json(presentGpu(entry), 200);
  });
  api.openapi(removeGpuRoute, async (c) => {
    await removeGpu(c.var.ctx, c.req.valid('param').type);
    return c.body(null, 204);
  });
};
