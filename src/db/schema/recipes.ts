import { check, index, jsonb, text, uuid } from 'drizzle-orm/pg-core';
import { RECIPE_METHODS, type RecipeOverrides } from '#/domain/recipes.ts';
import { users } from './identity.ts';
import { createdAt, id, lowrank, oneOf, ownRows, updatedAt } from './roles.ts';

/** Saved templates: a user's own changes of a built-in training style, which are values of the domain and no rows. */
export const recipes = lowrank.table(
  'recipes',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    project_id: uuid('project_id'),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    method: text('method', { enum: RECIPE_METHODS }).notNull(),
    /** what differs from the style's own defaults */
    overrides: jsonb('overrides').$type<RecipeOverrides>().notNull().default({}),
    tags: text('tags').array().notNull().default([]),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    check('recipes_method_check', oneOf('method', RECIPE_METHODS)),
    index('recipes_user_created').on(t.user_id, t.created_at, t.id),
    index('recipes_project').on(t.project_id),
    ownRows('recipes'),
  ],
);
