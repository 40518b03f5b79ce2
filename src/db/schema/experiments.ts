import { index, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from './identity.ts';
import { createdAt, id, lowrank, ownRows, updatedAt } from './roles.ts';

/** One question that jobs are to answer: a submission of door C and everything that is tried again of it. */
export const experiments = lowrank.table(
  'experiments',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    project_id: uuid('project_id'),
    name: text('name').notNull(),
    /** a built-in style or a saved template, which may be gone by now */
    recipe_id: uuid('recipe_id').notNull(),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    unique('experiments_id_user_key').on(t.id, t.user_id),
    index('experiments_user_created').on(t.user_id, t.created_at, t.id),
    index('experiments_project').on(t.project_id),
    ownRows('experiments'),
  ],
);
