import { eq } from 'drizzle-orm';
import { recipes } from '#/db/schema/recipes.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { builtInRecipe, type Recipe, withOverrides } from '#/domain/recipes.ts';

export type TemplateRow = typeof recipes.$inferSelect;

/** A training style as it is listed: built in (then nobody's), or a template of the caller's. */
export interface ListedRecipe extends Recipe {
  /** null: built in */
  template: TemplateRow | null;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export function noSuchRecipe(): AppError {
  return new AppError('not_found', 'There is no such recipe', [
    { path: 'recipe_id', message: 'no such recipe', code: 'not_found' },
  ]);
}

/** A template with the style that it changes. */
export function listedTemplate(template: TemplateRow): ListedRecipe {
  const style = builtInRecipe(template.method);
  if (style === undefined) throw new Error(`template ${template.id} is of no built-in style`);
  const { id, name, description, method, overrides } = template;
  return { ...style, id, name, description, defaults: withOverrides(method, overrides), template };
}

/** One of the transaction's user's templates. Throws `not_found`. */
export async function findTemplate(tx: Tx, id: string): Promise<TemplateRow> {
  const [row] = await tx.select().from(recipes).where(eq(recipes.id, id));
  if (row === undefined) throw noSuchRecipe();
  return row;
}

/** A built-in style by id or method, or a template of the transaction's user. Throws `not_found`. */
export async function findRecipe(tx: Tx, ref: string): Promise<ListedRecipe> {
  const style = builtInRecipe(ref);
  if (style !== undefined) return { ...style, template: null };
  if (!UUID.test(ref)) throw noSuchRecipe();
  return listedTemplate(await findTemplate(tx, ref));
}
