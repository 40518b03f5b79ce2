import { healthRoute, openApiRoute, readyRoute } from '#/contract/system.ts';
import { checkReady } from '#/services/settings/check-ready.ts';
import type { RouteModule } from './api-env.ts';
import { openApiDocument } from './openapi.ts';

/** What watchers and clients ask about the process itself. */
export const systemRoutes: RouteModule = (api, options) => {
  let document: ReturnType<typeof openApiDocument> | undefined;
  api.openapi(healthRoute, (c) => c.json({ status: 'ok' as const }, 200));
  api.openapi(readyRoute, async (c) => {
    await checkReady();
    return c.json({ status: 'ready' as const }, 200);
  });
  api.openapi(openApiRoute, (c) => {
    document ??= openApiDocument(api, options.base_url);
    return c.json({ ...document }, 200);
  });
};
