import { sql } from 'drizzle-orm';
import { check, date, foreignKey, index, numeric, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { COST_TYPES } from '#/domain/costs.ts';
import { trainingJobs } from './jobs.ts';
import { createdAt, lowrank, oneOf, ownRows, schedulerRows, updatedAt } from './roles.ts';

/** What trainings cost, one row a job, type and month (UTC): written by the worker alone, from what its runs took. */
export const costRecords = lowrank.table(
  'cost_records',
  {
    job_id: uuid('job_id').notNull(),
    user_id: uuid('user_id').notNull(),
    type: text('type', { enum: COST_TYPES }).notNull(),
    /** the month's first day */
    billing_period: date('billing_period').notNull(),
    /** US dollars for one hour, or for one GB */
    unit_price: numeric('unit_price', { precision: 12, scale: 2 }).notNull(),
    quantity: numeric('quantity', { precision: 18, scale: 6 }).notNull(),
    amount: numeric('amount', { precision: 12, scale: 2 }).notNull(),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    primaryKey({ columns: [t.job_id, t.type, t.billing_period] }),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'cost_records_job_fk',
    }).onDelete('cascade'),
    check('cost_records_type_check', oneOf('type', COST_TYPES)),
    check('cost_records_amount_check', sql`amount = round(quantity * unit_price, 2) and quantity >= 0 and unit_price >= 0`),
    check('cost_records_period_check', sql`extract(day from billing_period) = 1`),
    index('cost_records_user_period').on(t.user_id, t.billing_period),
    ownRows('cost_records'),
    schedulerRows('cost_records'),
  ],
);
