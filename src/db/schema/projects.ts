import { index, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from './identity.ts';
import { createdAt, id, lowrank, ownRows, updatedAt } from './roles.ts';

/** A user's own folders: what belongs to one names it. Deleted, they leave their things behind, in no project. */
export const projects = lowrank.table(
  'projects',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    unique('projects_id_user_key').on(t.id, t.user_id),
    index('projects_user_created').on(t.user_id, t.created_at, t.id),
    ownRows('projects'),
  ],
);
