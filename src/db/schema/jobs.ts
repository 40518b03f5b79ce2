import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgPolicy,
  primaryKey,
  real,
  smallint,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { AskedHyperparameters } from '#/domain/hyperparameters.ts';
import { PRESET_IDS } from '#/domain/hyperparameters.ts';
import type { ProbeFigures } from '#/domain/probe-figures.ts';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { type GPUConfig, TRAINING_METHODS } from '#/domain/training-spec.ts';
import { baseModels } from './base-models.ts';
import { datasets } from './datasets.ts';
import { experiments } from './experiments.ts';
import { users } from './identity.ts';
import { createdAt, id, instant, lowrank, oneOf, ownRows, schedulerRows, updatedAt } from './roles.ts';

const userId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

/** The legal pairs of the job state machine, filled by `migrate` from the domain's list; a trigger refuses all others. */
export const jobTransitions = lowrank.table(
  'job_transitions',
  { from_status: text('from_status').notNull(), to_status: text('to_status').notNull() },
  (t) => [
    primaryKey({ columns: [t.from_status, t.to_status] }),
    pgPolicy('job_transitions_read', { for: 'select', to: 'public', using: sql`true` }),
  ],
);

/** N rows a user: a job that is active points at one of them, so more than N cannot be active at once. */
export const jobSlots = lowrank.table('job_slots', { user_id: userId(), slot: smallint('slot').notNull() }, (t) => [
  primaryKey({ columns: [t.user_id, t.slot] }),
  ownRows('job_slots'),
  schedulerRows('job_slots'),
]);

/** One row a user, kept by triggers: the claim picks the user here first, so one backlog never delays another's first job. */
export const userQueues = lowrank.table(
  'user_queues',
  {
    user_id: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** queued jobs that may be claimed (not held) */
    queued: integer('queued').notNull().default(0),
    active: integer('active').notNull().default(0),
    /** all that are queued, held and waiting for a model too, and how many ended how: so that nobody counts jobs to tell it */
    waiting: integer('waiting').notNull().default(0),
    completed: integer('completed').notNull().default(0),
    failed: integer('failed').notNull().default(0),
    cancelled: integer('cancelled').notNull().default(0),
    active_max: integer('active_max').notNull(),
    /** what an administrator gave this person; null: as many as the installation says */
    own_active_max: integer('own_active_max'),
    /** what this person trains where they name no base model; null: what the installation says */
    default_base_model_id: uuid('default_base_model_id').references(() => baseModels.id, { onDelete: 'set null' }),
    last_claimed_at: instant('last_claimed_at'),
    /** this person took themselves out: nothing of theirs starts any more, and all of it goes */
    leaving_at: instant('leaving_at'),
  },
  (t) => [
    check('user_queues_counts_check', sql`queued >= 0 and active >= 0`),
    index('user_queues_next').on(t.active, t.last_claimed_at.asc().nullsFirst()).where(sql`queued > 0`),
    index('user_queues_leaving').on(t.leaving_at).where(sql`leaving_at is not null`),
    ownRows('user_queues'),
    schedulerRows('user_queues'),
  ],
);

export const trainingJobs = lowrank.table(
  'training_jobs',
  {
    id: id(),
    user_id: userId(),
    name: text('name').notNull(),
    type: text('type', { enum: TRAINING_METHODS }).notNull(),
    dataset_id: uuid('dataset_id').notNull(),
    base_model_id: uuid('base_model_id')
      .notNull()
      .references(() => baseModels.id),
    preset_id: text('preset_id', { enum: PRESET_IDS }).notNull(),
    /** a built-in style or a saved template of door C, which may be gone by now */
    recipe_id: uuid('recipe_id'),
    experiment_id: uuid('experiment_id'),
    hyperparameters: jsonb('hyperparameters').$type<AskedHyperparameters>().notNull(),
    gpu_config: jsonb('gpu_config').$type<GPUConfig>().notNull(),
    trigger_words: text('trigger_words').array().notNull().default([]),
    /** the spec and the plan, whole */
    config: jsonb('config').$type<Record<string, unknown>>().notNull(),
    priority: smallint('priority').notNull().default(0),
    status: text('status', { enum: JOB_STATUSES }).notNull().default('queued'),
    /** `fetching_model` while it waits for its base model: then it is not in the queue */
    current_stage: text('current_stage'),
    /** 0…100 */
    progress: real('progress').notNull().default(0),
    current_epoch: real('current_epoch').notNull().default(0),
    total_epochs: integer('total_epochs').notNull(),
    current_step: integer('current_step').notNull().default(0),
    total_steps: integer('total_steps').notNull(),
    current_metrics: jsonb('current_metrics').$type<Record<string, number | null>>().notNull().default({}),
    /** what the newest attempt's first steps took; null until it is there */
    measured: jsonb('measured').$type<ProbeFigures | null>(),
    /** samples of all its attempts that can be seen, or of which it is known why not */
    samples: integer('samples').notNull().default(0),
    queued_at: instant('queued_at').notNull().defaultNow(),
    started_at: instant('started_at'),
    completed_at: instant('completed_at'),
    estimated_completion_at: instant('estimated_completion_at'),
    estimated_total_cost: numeric('estimated_total_cost', { precision: 12, scale: 2 }),
    /** US dollars an hour for all its devices, as the catalogue had it at the submission */
    hourly_rate: numeric('hourly_rate', { precision: 12, scale: 2 }).notNull().default('0'),
    /** the sum of its cost records; a little behind while it runs */
    current_cost: numeric('current_cost', { precision: 12, scale: 2 }).notNull().default('0'),
    /** the same for good, once it is over (by trigger) */
    final_cost: numeric('final_cost', { precision: 12, scale: 2 }),
    error_code: text('error_code'),
    error_message: text('error_message'),
    error_hint: text('error_hint'),
    error_stack: text('error_stack'),
    retry_count: smallint('retry_count').notNull().default(0),
    retried_from: uuid('retried_from'),
    executor: text('executor'),
    artifact_id: uuid('artifact_id'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    /** wishes and doubts: never a status */
    cancel_requested_at: instant('cancel_requested_at'),
    pause_requested_at: instant('pause_requested_at'),
    /** with a cancel: nor is its last checkpoint wanted */
    discard_requested_at: instant('discard_requested_at'),
    held_at: instant('held_at'),
    not_before: instant('not_before'),
    contact_lost_at: instant('contact_lost_at'),
    /** the claim: which worker answers for it, under which epoch, believed until when */
    worker_id: text('worker_id'),
    lease_until: instant('lease_until'),
    epoch: integer('epoch').notNull().default(0),
    attempt: smallint('attempt').notNull().default(0),
    slot: smallint('slot'),
    /** number of the job's last event */
    event_seq: integer('event_seq').notNull().default(1),
    deleted_at: instant('deleted_at'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    unique('training_jobs_id_user_key').on(t.id, t.user_id),
    check('training_jobs_status_check', oneOf('status', JOB_STATUSES)),
    check('training_jobs_preset_check', oneOf('preset_id', PRESET_IDS)),
    check('training_jobs_progress_check', sql`progress between 0 and 100`),
    check('training_jobs_slot_check', sql`(status in ('initializing', 'running')) = (slot is not null)`),
    check('training_jobs_failed_check', sql`(status = 'failed') = (error_code is not null)`),
    uniqueIndex('training_jobs_slot_key').on(t.user_id, t.slot),
    foreignKey({
      columns: [t.user_id, t.slot],
      foreignColumns: [jobSlots.user_id, jobSlots.slot],
      name: 'training_jobs_slot_fk',
    }),
    foreignKey({
      columns: [t.dataset_id, t.user_id],
      foreignColumns: [datasets.id, datasets.user_id],
      name: 'training_jobs_dataset_fk',
    }),
    foreignKey({
      columns: [t.experiment_id, t.user_id],
      foreignColumns: [experiments.id, experiments.user_id],
      name: 'training_jobs_experiment_fk',
    }),
    foreignKey({
      columns: [t.retried_from, t.user_id],
      foreignColumns: [t.id as AnyPgColumn, t.user_id as AnyPgColumn],
      name: 'training_jobs_retried_from_fk',
    }),
    // deleted_at stands last in both, so that a list's rows are counted without reading them.
    index('training_jobs_user_created').on(t.user_id, t.created_at.desc(), t.id.desc(), t.deleted_at),
    index('training_jobs_user_status').on(t.user_id, t.status, t.created_at.desc(), t.id.desc(), t.deleted_at),
    index('training_jobs_dataset').on(t.dataset_id),
    index('training_jobs_experiment').on(t.experiment_id, t.created_at),
    index('training_jobs_queue')
      .on(t.user_id, t.priority.desc(), t.queued_at, t.id)
      .where(sql`status = 'queued' and held_at is null and current_stage is distinct from 'fetching_model'`),
    // The same by what is needed: whoever cannot have the first in line finds the next that it can without reading those between.
    index('training_jobs_queue_by_need')
      .on(t.user_id, sql`((gpu_config ->> 'count') || ' ' || (gpu_config ->> 'type'))`, t.priority.desc(), t.queued_at, t.id)
      .where(sql`status = 'queued' and held_at is null and current_stage is distinct from 'fetching_model'`),
    index('training_jobs_waiting_for_model')
      .on(t.queued_at, t.base_model_id)
      .where(sql`status = 'queued' and current_stage = 'fetching_model'`),
    index('training_jobs_held_by_worker').on(t.worker_id).where(sql`status in ('initializing', 'running')`),
    ownRows('training_jobs'),
    schedulerRows('training_jobs'),
  ],
);

/** One attempt at a job: where it ran, how far its events were read, how it ended. */
export const jobRuns = lowrank.table(
  'job_runs',
  {
    job_id: uuid('job_id').notNull(),
    user_id: uuid('user_id').notNull(),
    attempt: smallint('attempt').notNull(),
    epoch: integer('epoch').notNull(),
    worker_id: text('worker_id').notNull(),
    executor: text('executor').notNull(),
    /** the executor's handle, plain JSON, so that a restarted worker finds the run again; null until launched */
    handle: jsonb('handle').$type<Record<string, unknown> | null>(),
    /** the checkpoint's step this attempt went on from; null for a start from nothing */
    resumed_from_step: integer('resumed_from_step'),
    /** bytes of events.jsonl whose rows are stored, and the last seq among them */
    events_offset: bigint('events_offset', { mode: 'number' }).notNull().default(0),
    events_seq: integer('events_seq').notNull().default(0),
    /** lines that were no event: counted, kept in the file, not guessed at */
    events_rejected: integer('events_rejected').notNull().default(0),
    last_event_at: instant('last_event_at'),
    started_at: instant('started_at').notNull().defaultNow(),
    ended_at: instant('ended_at'),
    /** seconds of it that are paid for: until its owner has told how long it ran, up to the last look at it */
    metered_s: numeric('metered_s', { precision: 14, scale: 3 }).notNull().default('0'),
    /** what the executor saw at the end: code or signal, memory kill, orphans */
    exit: jsonb('exit').$type<Record<string, unknown> | null>(),
    /** what its container was made of: the image's name, and the id of what that was; null for a process */
    image: text('image'),
    image_digest: text('image_digest'),
  },
  (t) => [
    primaryKey({ columns: [t.job_id, t.attempt] }),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'job_runs_job_fk',
    }).onDelete('cascade'),
    ownRows('job_runs'),
    schedulerRows('job_runs'),
  ],
);

/** What happened to a job, numbered without gaps: each state change exactly once (by trigger), and the trainer's own words. */
export const jobEvents = lowrank.table(
  'job_events',
  {
    job_id: uuid('job_id').notNull(),
    user_id: uuid('user_id').notNull(),
    seq: integer('seq').notNull(),
    /** `state`, or the trainer's event type */
    type: text('type').notNull(),
    from_status: text('from_status'),
    to_status: text('to_status'),
    attempt: smallint('attempt').notNull(),
    trainer_seq: integer('trainer_seq'),
    message: text('message'),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    created_at: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.job_id, t.seq] }),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'job_events_job_fk',
    }).onDelete('cascade'),
    uniqueIndex('job_events_trainer_key').on(t.job_id, t.attempt, t.trainer_seq).where(sql`trainer_seq is not null`),
    pgPolicy('job_events_own_read', { for: 'select', to: 'public', using: sql`user_id = (select auth.uid())` }),
    // Only the job's own trigger writes for a user: a statement of theirs runs at depth 0.
    pgPolicy('job_events_by_trigger', {
      for: 'insert',
      to: 'public',
      withCheck: sql`user_id = (select auth.uid()) and pg_trigger_depth() > 0`,
    }),
    schedulerRows('job_events'),
  ],
);

export const metricsPoints = lowrank.table(
  'metrics_points',
  {
    job_id: uuid('job_id').notNull(),
    user_id: uuid('user_id').notNull(),
    attempt: smallint('attempt').notNull(),
    seq: integer('seq').notNull(),
    step: integer('step').notNull(),
    epoch: real('epoch'),
    timestamp: instant('timestamp').notNull(),
    loss: real('loss'),
    eval_loss: real('eval_loss'),
    learning_rate: real('learning_rate'),
    grad_norm: real('grad_norm'),
    tokens_per_second: real('tokens_per_second'),
    samples_per_second: real('samples_per_second'),
    gpu_memory_mb: real('gpu_memory_mb'),
    peak_memory_mb: real('peak_memory_mb'),
    extra: jsonb('extra').$type<Record<string, unknown>>(),
  },
  (t) => [
    primaryKey({ columns: [t.job_id, t.attempt, t.seq] }),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'metrics_points_job_fk',
    }).onDelete('cascade'),
    ownRows('metrics_points'),
    schedulerRows('metrics_points'),
  ],
);

export const ARTIFACT_KINDS = ['adapter', 'checkpoint'] as const;

export const modelArtifacts = lowrank.table(
  'model_artifacts',
  {
    id: id(),
    user_id: userId(),
    job_id: uuid('job_id').notNull(),
    name: text('name').notNull(),
    kind: text('kind', { enum: ARTIFACT_KINDS }).notNull(),
    /** the artifact that its training went on from, which may be gone by now */
    parent_model_id: uuid('parent_model_id'),
    /** the folder's key in storage */
    storage_path: text('storage_path').notNull(),
    files: jsonb('files').$type<{ id: string; path: string; sha256: string; bytes: number }[]>().notNull(),
    /** of the weights file */
    sha256: text('sha256').notNull(),
    size: bigint('size', { mode: 'number' }).notNull(),
    quality_metrics: jsonb('quality_metrics').$type<Record<string, unknown>>().notNull().default({}),
    training_summary: jsonb('training_summary').$type<Record<string, unknown>>().notNull().default({}),
    /** the run passport: dataset hash, model revision, versions, seed, complete configuration */
    passport: jsonb('passport').$type<Record<string, unknown>>().notNull().default({}),
    purged_at: instant('purged_at'),
    deleted_at: instant('deleted_at'),
    created_at: createdAt(),
  },
  (t) => [
    check('model_artifacts_kind_check', oneOf('kind', ARTIFACT_KINDS)),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'model_artifacts_job_fk',
    }).onDelete('cascade'),
    unique('model_artifacts_id_user_key').on(t.id, t.user_id),
    uniqueIndex('model_artifacts_adapter_key').on(t.job_id).where(sql`kind = 'adapter'`),
    index('model_artifacts_user_created').on(t.user_id, t.created_at, t.id),
    index('model_artifacts_job').on(t.job_id, t.created_at, t.id),
    ownRows('model_artifacts'),
    schedulerRows('model_artifacts'),
  ],
);
