import {
  createRecipeRoute,
  deleteRecipeRoute,
  getRecipeRoute,
  listRecipesRoute,
  type Recipe,
  updateRecipeRoute,
} from '#/contract/recipes.ts';
import { whyUnavailable } from '#/domain/recipes.ts';
import { TRAINER_CAN } from '#/domain/trainer-abilities.ts';
import { getRecipe, listRecipes } from '#/services/recipes/list-recipes.ts';
import type { ListedRecipe } from '#/services/recipes/recipe-row.ts';
import { createRecipe, deleteRecipe, updateRecipe } from '#/services/recipes/save-recipe.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';

function present({ template, ...recipe }: ListedRecipe): Recipe {
  const unavailable_reason = whyUnavailable(recipe.method);
  return {
    id: recipe.id,
    name: recipe.name,
    description: recipe.description,
    method: recipe.method,
    built_in: template === null,
    defaults: recipe.defaults,
    supports: {
      modalities: [...recipe.supports.modalities],
      quantized_bases: recipe.supports.quantized_bases,
      strategies: [...TRAINER_CAN.strategies],
      eval_suites: [...TRAINER_CAN.eval_suites],
      exports: [...TRAINER_CAN.exports],
    },
    refuses: [...recipe.refuses],
    available: unavailable_reason === null,
    unavailable_reason,
    project_id: template?.project_id ?? null,
    tags: template?.tags ?? [],
    metadata: template?.metadata ?? {},
    created_at: template?.created_at.toISOString() ?? null,
    updated_at: template?.updated_at.toISOString() ?? null,
  };
}

/** Door C's recipes. */
export const recipeRoutes: RouteModule = (api) => {
  api.openapi(listRecipesRoute, async (c) => {
    const { q, ...query } = c.req.valid('query');
    const { recipes, ...page } = await listRecipes(c.var.ctx, { ...query, search: query.search ?? q });
    const { limit, offset } = query;
    return c.json({ recipes: recipes.map(present), ...page, limit, offset }, 200);
  });
  api.openapi(getRecipeRoute, async (c) => c.json(present(await getRecipe(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(createRecipeRoute, (c) => {
    const wish = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/recipes',
      request: () => wish,
      make: (hooks) => createRecipe(c.var.ctx, wish, hooks),
      present,
    });
  });
  api.openapi(updateRecipeRoute, async (c) => {
    const recipe = await updateRecipe(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    return c.json(present(recipe), 200);
  });
  api.openapi(deleteRecipeRoute, async (c) => {
    await deleteRecipe(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
};
