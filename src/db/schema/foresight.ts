import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgPolicy,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Accuracy } from '#/domain/foresight/learning/accuracy.ts';
import type { MeasuredRun } from '#/domain/foresight/learning/measured-run.ts';
import type { StoredForecast } from '#/domain/foresight/learning/observed-run.ts';
import { RUN_METHODS } from '#/domain/foresight/run-shape.ts';
import { TERMINAL_JOB_STATUSES } from '#/domain/statuses.ts';
import { trainingJobs } from './jobs.ts';
import { createdAt, lowrank, oneOf, ownRows, schedulerRows } from './roles.ts';

/** What was foretold of a finished job and what it measured, one row a job: written by the worker alone, in the job's last transaction. */
export const runObservations = lowrank.table(
  'run_observations',
  {
    /** the job's own */
    id: uuid('id').primaryKey(),
    user_id: uuid('user_id').notNull(),
    outcome: text('outcome', { enum: TERMINAL_JOB_STATUSES }).notNull(),
    /** where it ran: the catalogue's name of the device, or its driver's where that is not known */
    gpu: text('gpu').notNull(),
    stack_version: text('stack_version').notNull(),
    method: text('method', { enum: RUN_METHODS }).notNull(),
    /** which formulas foretold it */
    formulas: integer('formulas').notNull(),
    /** names runs of one person that are alike in all features */
    feature_key: text('feature_key').notNull(),
    forecast: jsonb('forecast').$type<StoredForecast>().notNull(),
    measured: jsonb('measured').$type<MeasuredRun>().notNull(),
    /** ln(measured / formula); null where there is nothing to compare */
    memory_residual: doublePrecision('memory_residual'),
    time_residual: doublePrecision('time_residual'),
    /** it ran out of memory: the same of all that its device has, which says no more than that it needs that much */
    memory_at_least: doublePrecision('memory_at_least'),
    created_at: createdAt(),
  },
  (t) => [
    foreignKey({
      columns: [t.id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'run_observations_job_fk',
    }).onDelete('cascade'),
    check('run_observations_outcome_check', oneOf('outcome', TERMINAL_JOB_STATUSES)),
    check('run_observations_method_check', oneOf('method', RUN_METHODS)),
    index('run_observations_user_created').on(t.user_id, t.created_at, t.id),
    index('run_observations_group').on(t.gpu, t.stack_version, t.method, t.formulas, t.created_at),
    ownRows('run_observations'),
    schedulerRows('run_observations'),
  ],
);

/**
 * What all observations of one kind say together, for everybody who is signed in: numbers, and neither whose runs they were nor of what
 * model or data. Made anew from the rows by the worker, whenever a run of the kind ends.
 */
export const runGroups = lowrank.table(
  'run_groups',
  {
    gpu: text('gpu').notNull(),
    stack_version: text('stack_version').notNull(),
    method: text('method', { enum: RUN_METHODS }).notNull(),
    formulas: integer('formulas').notNull(),
    memory: jsonb('memory').$type<Accuracy>().notNull(),
    time: jsonb('time').$type<Accuracy>().notNull(),
    /** grows with every run that ends, of whatever kind: which group is the newest, and not when anybody trained */
    turn: bigint('turn', { mode: 'number' }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.gpu, t.stack_version, t.method, t.formulas] }),
    check('run_groups_method_check', oneOf('method', RUN_METHODS)),
    index('run_groups_newest').on(t.formulas, t.turn),
    pgPolicy('run_groups_read', { for: 'select', to: 'public', using: sql`(select auth.uid()) is not null` }),
    schedulerRows('run_groups'),
  ],
);
