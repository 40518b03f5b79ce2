import { sql } from 'drizzle-orm';
import { boolean, check, index, jsonb, pgPolicy, text, uuid } from 'drizzle-orm/pg-core';
import { ACTIVITY_TYPES, ENTITY_TYPES } from '#/domain/activity.ts';
import { users } from './identity.ts';
import { createdAt, id, identityRole, lowrank, oneOf, ownRows, schedulerRows } from './roles.ts';

/** What happened, each written in the transaction in which it happened. What it tells of may be gone by now. */
export const activities = lowrank.table(
  'activities',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    project_id: uuid('project_id'),
    event_type: text('event_type', { enum: ACTIVITY_TYPES }).notNull(),
    entity_type: text('entity_type', { enum: ENTITY_TYPES }).notNull(),
    entity_id: uuid('entity_id').notNull(),
    title: text('title').notNull(),
    message: text('message').notNull(),
    /** of the thing, as it was then */
    status: text('status'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    read: boolean('read').notNull().default(false),
    created_at: createdAt(),
  },
  (t) => [
    check('activities_event_check', oneOf('event_type', ACTIVITY_TYPES)),
    check('activities_entity_check', oneOf('entity_type', ENTITY_TYPES)),
    index('activities_user_created').on(t.user_id, t.created_at, t.id),
    index('activities_unread').on(t.user_id, t.created_at, t.id).where(sql`not read`),
    index('activities_entity').on(t.user_id, t.entity_id),
    index('activities_project').on(t.project_id),
    ownRows('activities'),
    schedulerRows('activities'),
    // What administrators do to the installation, in the transaction in which they do it.
    pgPolicy('activities_identity', { for: 'insert', to: identityRole, withCheck: sql`entity_type = 'device'` }),
  ],
);
