import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgPolicy, smallint, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { TRAINING_IMAGE_STATUSES } from '#/domain/statuses.ts';
import type { TrainerHello } from '#/domain/trainer-hello.ts';
import { users } from './identity.ts';
import { createdAt, id, identityRows, instant, lowrank, oneOf, schedulerRows, updatedAt } from './roles.ts';

/** Images that trainings may name: administrators list them, a worker checks each, everybody reads them. */
export const trainingImages = lowrank.table(
  'training_images',
  {
    id: id(),
    created_by: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    name: text('name').notNull(),
    /** as the engine is asked for it */
    reference: text('reference').notNull(),
    status: text('status', { enum: TRAINING_IMAGE_STATUSES }).notNull().default('checking'),
    /** why it is no good, or why it is not checked yet */
    status_reason: jsonb('status_reason').$type<{ code: string; message: string } | null>(),
    /** the id of what was checked: that, and nothing that the reference names later, is what trainings run in */
    digest: text('digest'),
    /** what its trainer said of itself */
    hello: jsonb('hello').$type<TrainerHello | null>(),
    checked_at: instant('checked_at'),
    lease_until: instant('lease_until'),
    claimed_at: instant('claimed_at'),
    claim: integer('claim').notNull().default(0),
    attempts: smallint('attempts').notNull().default(0),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    uniqueIndex('training_images_name_key').on(sql`lower(${t.name})`),
    check('training_images_status_check', oneOf('status', TRAINING_IMAGE_STATUSES)),
    check(
      'training_images_ready_check',
      sql`status <> 'ready' or (digest is not null and hello is not null and checked_at is not null)`,
    ),
    index('training_images_creator').on(t.created_by),
    index('training_images_checking').on(t.created_at).where(sql`status = 'checking'`),
    pgPolicy('training_images_read', { for: 'select', to: 'public', using: sql`(select auth.uid()) is not null` }),
    identityRows('training_images'),
    schedulerRows('training_images'),
  ],
);
