import { sql } from 'drizzle-orm';
import { check, integer, numeric, pgPolicy, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { createdAt, id, identityRows, lowrank, schedulerRows, updatedAt } from './roles.ts';

/** What administrators say of devices: entries of their own, and other figures for those that the domain brings along. */
export const gpuCatalog = lowrank.table(
  'gpu_catalog',
  {
    id: id(),
    type: text('type').notNull(),
    aliases: text('aliases').array().notNull().default([]),
    hourly_rate: numeric('hourly_rate', { precision: 10, scale: 2 }).notNull(),
    tokens_per_second: integer('tokens_per_second').notNull(),
    /** null: as that which it is like has */
    memory_gb: numeric('memory_gb', { precision: 7, scale: 1 }),
    /** A device of the planner's table; null: that of its own name */
    like: text('like'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    uniqueIndex('gpu_catalog_type_key').on(sql`lower(${t.type})`),
    check('gpu_catalog_figures_check', sql`hourly_rate >= 0 and tokens_per_second > 0`),
    check('gpu_catalog_memory_check', sql`memory_gb > 0`),
    pgPolicy('gpu_catalog_read', { for: 'select', to: 'public', using: sql`(select auth.uid()) is not null` }),
    identityRows('gpu_catalog'),
    schedulerRows('gpu_catalog'),
  ],
);
