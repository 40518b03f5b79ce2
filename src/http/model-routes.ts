import {
  deleteBaseModelRoute,
  getBaseModelRoute,
  listBaseModelsRoute,
  registerBaseModelRoute,
  updateBaseModelRoute,
} from '#/contract/base-models.ts';
import { deleteModel } from '#/services/models/delete-model.ts';
import { getModel, listModels } from '#/services/models/list-models.ts';
import { registerHubModel } from '#/services/models/register-hub-model.ts';
import { registerLocalModel } from '#/services/models/register-local-model.ts';
import { updateModel } from '#/services/models/update-model.ts';
import { readModelProgress } from '#/services/transfers/list-transfers.ts';
import type { RouteModule } from './api-env.ts';
import { createOrFindOnce } from './idempotency.ts';
import { presentModel } from './model-presenter.ts';

/** Door C's registry of base models. */
export const modelRoutes: RouteModule = (api) => {
  api.openapi(listBaseModelsRoute, async (c) => {
    const { q, ...query } = c.req.valid('query');
    const { models, ...page } = await listModels(c.var.ctx, { ...query, search: query.search ?? q });
    const { user_id } = c.var.ctx;
    const { limit, offset } = query;
    const progress = await readModelProgress(c.var.ctx, models);
    const presented = models.map((model) => presentModel(model, user_id, progress.get(model.id)));
    return c.json({ models: presented, ...page, limit, offset }, 200);
  });
  api.openapi(getBaseModelRoute, async (c) => {
    const model = await getModel(c.var.ctx, c.req.valid('param').id);
    const progress = await readModelProgress(c.var.ctx, [model]);
    return c.json(presentModel(model, c.var.ctx.user_id, progress.get(model.id)), 200);
  });
  api.openapi(registerBaseModelRoute, async (c) => {
    const { ctx } = c.var;
    const wish = c.req.valid('json');
    const make = (hooks: Parameters<typeof registerHubModel>[2]) =>
      'path' in wish ? registerLocalModel(ctx, wish, hooks) : registerHubModel(ctx, wish, hooks);
    return createOrFindOnce(c, {
      route: 'POST /api/base-models',
      request: () => wish,
      make,
      created: ({ created }) => created,
      present: ({ model }) => presentModel(model, ctx.user_id),
    });
  });
  api.openapi(updateBaseModelRoute, async (c) => {
    const model = await updateModel(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    const progress = await readModelProgress(c.var.ctx, [model]);
    return c.json(presentModel(model, c.var.ctx.user_id, progress.get(model.id)), 200);
  });
  api.openapi(deleteBaseModelRoute, async (c) => {
    await deleteModel(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
};
