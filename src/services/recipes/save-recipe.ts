/** Templates: made, changed and removed by their owner. Built-in styles are nobody's to change. */
import { eq } from 'drizzle-orm';
import { recipes } from '#/db/schema/recipes.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type Metadata, mergeMetadata } from '#/domain/labels.ts';
import { builtInRecipe, type RecipeMethod, type RecipeOverrides } from '#/domain/recipes.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { findProject } from '#/services/projects/project-row.ts';
import { refuseMore } from '#/services/row-caps/refuse-more.ts';
import { findTemplate, type ListedRecipe, listedTemplate } from './recipe-row.ts';

export interface NewTemplate {
  name: string;
  description: string;
  method: RecipeMethod;
  defaults: RecipeOverrides;
  tags: string[];
  metadata: Metadata;
  project_id: string | null;
}

export interface TemplateChanges {
  name?: string | undefined;
  description?: string | undefined;
  /** Fields to set; null takes one back to the style's own. */
  defaults?: { [field in keyof RecipeOverrides]: RecipeOverrides[field] | null } | undefined;
  tags?: string[] | undefined;
  metadata?: Metadata | undefined;
  project_id?: string | null | undefined;
}

/** Saves a template. Throws `not_found` (project) and `limit_reached`. */
export function createRecipe(ctx: Context, wish: NewTemplate, hooks: CreationHooks = {}): Promise<ListedRecipe> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return listedTemplate(await findTemplate(tx, known));
    if (wish.project_id !== null) await findProject(tx, wish.project_id);
    await refuseMore(tx, ctx.user_id, 'templates', recipes, eq(recipes.user_id, ctx.user_id));
    const { defaults: overrides, ...plain } = wish;
    const [template] = await tx
      .insert(recipes)
      .values({ ...plain, overrides, user_id: ctx.user_id })
      .returning();
    if (template === undefined) throw new Error('the insert of a recipe returned no row');
    await hooks.after?.(tx, template.id);
    return listedTemplate(template);
  });
}

/** Changes a template. Throws `not_found` (recipe, project) and `forbidden` for a built-in style. */
export function updateRecipe(ctx: Context, ref: string, changes: TemplateChanges): Promise<ListedRecipe> {
  refuseBuiltIn(ref, 'changed');
  return asUser(ctx.user_id, async (tx) => {
    const template = await findTemplate(tx, ref);
    if (changes.project_id != null) await findProject(tx, changes.project_id);
    const { defaults, metadata, ...plain } = changes;
    await tx
      .update(recipes)
      .set({
        ...plain,
        overrides: mergeMetadata(template.overrides, defaults ?? {}) as RecipeOverrides,
        metadata: mergeMetadata(template.metadata, metadata ?? {}),
      })
      .where(eq(recipes.id, template.id));
    return listedTemplate(await findTemplate(tx, template.id));
  });
}

/** Removes a template; jobs that were made from it keep what they took. Throws `not_found` and `forbidden`. */
export function deleteRecipe(ctx: Context, ref: string): Promise<void> {
  refuseBuiltIn(ref, 'deleted');
  return asUser(ctx.user_id, async (tx) => {
    const { id } = await findTemplate(tx, ref);
    await tx.delete(recipes).where(eq(recipes.id, id));
  });
}

function refuseBuiltIn(ref: string, wish: string): void {
  const style = builtInRecipe(ref);
  if (style === undefined) return;
  throw new AppError('forbidden', `${style.name} is built in and cannot be ${wish}: save a template of your own`);
}
