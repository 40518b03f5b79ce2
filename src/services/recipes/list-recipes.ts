import { and, desc, eq, ilike, or } from 'drizzle-orm';
import { recipes } from '#/db/schema/recipes.ts';
import { asUser } from '#/db/tenancy.ts';
import { BUILT_IN_RECIPES, type Recipe } from '#/domain/recipes.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { containing } from '#/services/search-pattern.ts';
import { findRecipe, type ListedRecipe, listedTemplate } from './recipe-row.ts';

export interface RecipeQuery extends PageQuery {
  /** Looked for in name and description, without case. */
  search?: string | undefined;
  /** Templates of this project; the built-in styles are in all. */
  project?: string | undefined;
}

/** One page of the built-in styles, then the caller's templates, newest first. Throws `invalid_request` (cursor). */
export function listRecipes(ctx: Context, query: RecipeQuery): Promise<Paged & { recipes: ListedRecipe[] }> {
  return asUser(ctx.user_id, async (tx) => {
    const known = BUILT_IN_RECIPES.filter((recipe) => isFound(recipe, query.search));
    const pattern = query.search === undefined ? undefined : containing(query.search);
    const wanted = and(
      eq(recipes.user_id, ctx.user_id),
      query.project === undefined ? undefined : eq(recipes.project_id, query.project),
      pattern === undefined ? undefined : or(ilike(recipes.name, pattern), ilike(recipes.description, pattern)),
    );
    const at = known.findIndex((recipe) => recipe.id === query.after);
    const behind_all = query.after !== undefined && at === -1;
    const ahead = behind_all ? [] : known.slice(at + 1);
    const offset = skipped(query);
    const styles = ahead.slice(offset, offset + oneMore(query));
    const rows = await tx
      .select()
      .from(recipes)
      .where(and(wanted, behind_all ? await behindCursor(tx, recipes, query.after) : undefined))
      .orderBy(desc(recipes.created_at), desc(recipes.id))
      .limit(oneMore(query) - styles.length)
      .offset(Math.max(0, offset - ahead.length));
    const counted = await countRows(tx, ctx.user_id, recipes, wanted);
    const read = [...styles.map((style) => ({ ...style, template: null })), ...rows.map(listedTemplate)];
    const { rows: page, next_cursor } = cutPage(read, query.limit, ({ id }) => id);
    return { recipes: page, ...counted, total: known.length + counted.total, next_cursor };
  });
}

function isFound({ name, description }: Recipe, search: string | undefined): boolean {
  if (search === undefined) return true;
  return [name, description].some((text) => text.toLowerCase().includes(search.toLowerCase()));
}

/** A built-in style by id or method, or a template of the caller's. Throws `not_found`. */
export function getRecipe(ctx: Context, ref: string): Promise<ListedRecipe> {
  return asUser(ctx.user_id, (tx) => findRecipe(tx, ref));
}
