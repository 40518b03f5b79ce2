import { changeSettingsRoute, readSettingsRoute } from '#/contract/settings.ts';
import { changeSettings } from '#/services/settings/change-settings.ts';
import { readSettings } from '#/services/settings/read-settings.ts';
import type { RouteModule } from './api-env.ts';

/** What administrators decide for everybody. */
export const settingsRoutes: RouteModule = (api) => {
  api.openapi(readSettingsRoute, async (c) => c.json(await readSettings(c.var.ctx), 200));
  api.openapi(changeSettingsRoute, async (c) => c.json(await changeSettings(c.var.ctx, c.req.valid('json')), 200));
};
