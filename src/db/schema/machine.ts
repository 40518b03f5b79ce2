import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgPolicy,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { DEVICE_KINDS } from '#/domain/devices.ts';
import { NOTIFICATION_PRIORITIES, NOTIFICATION_TYPES } from '#/domain/notifications.ts';
import { users } from './identity.ts';
import { trainingJobs } from './jobs.ts';
import { createdAt, id, identityRole, identityRows, instant, lowrank, oneOf, ownRows, schedulerRows } from './roles.ts';

/** One row a host that runs trainings. `id` is the host's own, kept in its data directory, so a restarted worker finds its runs. */
export const workers = lowrank.table(
  'workers',
  {
    id: text('id').primaryKey(),
    boot_id: text('boot_id').notNull(),
    pid: integer('pid').notNull(),
    version: text('version').notNull(),
    started_at: instant('started_at').notNull().defaultNow(),
    heartbeat_at: instant('heartbeat_at').notNull().defaultNow(),
    /** an orderly stop: its runs go on unwatched and are not fenced */
    stopped_at: instant('stopped_at'),
    facts: jsonb('facts').$type<Record<string, unknown>>().notNull().default({}),
  },
  () => [schedulerRows('workers'), identityRows('workers')],
);

/** What a run can be given: a GPU or a MIG instance by its UUID, or a place on the host's CPU where there is no GPU. */
export const gpuDevices = lowrank.table(
  'gpu_devices',
  {
    id: id(),
    worker_id: text('worker_id')
      .notNull()
      .references(() => workers.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: DEVICE_KINDS }).notNull(),
    uuid: text('uuid').notNull(),
    name: text('name').notNull(),
    memory_mb: integer('memory_mb').notNull(),
    /** the number that the host's own tools give it */
    index: smallint('index'),
    /** of a MIG instance alone: its profile, and the card that it is a part of */
    mig_profile: text('mig_profile'),
    mig_card_uuid: text('mig_card_uuid'),
    memory_used_mb: integer('memory_used_mb'),
    utilization_percent: smallint('utilization_percent'),
    /** that compute on it and are no run of ours: they hold memory, so no run is given it */
    foreign_processes: integer('foreign_processes').notNull().default(0),
    last_seen_at: instant('last_seen_at').notNull().defaultNow(),
    quarantined_at: instant('quarantined_at'),
    quarantine_reason: text('quarantine_reason'),
    /** an administrator's word: what runs on it goes on, and nothing new comes */
    drained_at: instant('drained_at'),
  },
  (t) => [
    uniqueIndex('gpu_devices_uuid_key').on(t.worker_id, t.uuid),
    index('gpu_devices_listed').on(t.worker_id, t.name, t.uuid),
    // Of what kind they are is granted, and no more: whose price a training has that names no device.
    pgPolicy('gpu_devices_read', { for: 'select', to: 'public', using: sql`(select auth.uid()) is not null` }),
    schedulerRows('gpu_devices'),
    identityRows('gpu_devices'),
  ],
);

export const gpuLeases = lowrank.table(
  'gpu_leases',
  {
    id: id(),
    device_id: uuid('device_id')
      .notNull()
      .references(() => gpuDevices.id),
    user_id: uuid('user_id').notNull(),
    job_id: uuid('job_id').notNull(),
    attempt: smallint('attempt').notNull(),
    leased_at: instant('leased_at').notNull().defaultNow(),
    released_at: instant('released_at'),
  },
  (t) => [
    uniqueIndex('gpu_leases_open_key').on(t.device_id).where(sql`released_at is null`),
    index('gpu_leases_job').on(t.job_id),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'gpu_leases_job_fk',
    }).onDelete('cascade'),
    schedulerRows('gpu_leases'),
    identityRows('gpu_leases'),
  ],
);

/**
 * What of a host is kept for a waiting training that needs more devices than are free: one a host by its key, and one a training. It
 * ends with the wait (by trigger).
 */
export const gpuReservations = lowrank.table(
  'gpu_reservations',
  {
    worker_id: text('worker_id')
      .primaryKey()
      .references(() => workers.id, { onDelete: 'cascade' }),
    user_id: uuid('user_id').notNull(),
    job_id: uuid('job_id').notNull(),
    device_ids: uuid('device_ids').array().notNull(),
    reserved_at: instant('reserved_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('gpu_reservations_job_key').on(t.job_id),
    index('gpu_reservations_user').on(t.user_id),
    foreignKey({
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
      name: 'gpu_reservations_job_fk',
    }).onDelete('cascade'),
    schedulerRows('gpu_reservations'),
    identityRows('gpu_reservations'),
  ],
);

export const notifications = lowrank.table(
  'notifications',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    type: text('type', { enum: NOTIFICATION_TYPES }).notNull(),
    title: text('title').notNull(),
    message: text('message').notNull(),
    priority: text('priority', { enum: NOTIFICATION_PRIORITIES }).notNull().default('normal'),
    read: boolean('read').notNull().default(false),
    action_url: text('action_url'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    created_at: createdAt(),
  },
  (t) => [
    check('notifications_type_check', oneOf('type', NOTIFICATION_TYPES)),
    check('notifications_priority_check', oneOf('priority', NOTIFICATION_PRIORITIES)),
    index('notifications_user_created').on(t.user_id, t.created_at, t.id),
    index('notifications_unread').on(t.user_id, t.created_at, t.id).where(sql`not read`),
    ownRows('notifications'),
    schedulerRows('notifications'),
  ],
);

/** The installation's own choices, one row a key; each value is parsed by the domain's schema for it. */
export const settings = lowrank.table(
  'settings',
  {
    key: text('key').primaryKey(),
    value: jsonb('value').$type<unknown>().notNull(),
    updated_at: instant('updated_at').notNull().defaultNow(),
  },
  () => [
    pgPolicy('settings_read', { for: 'select', to: 'public', using: sql`true` }),
    pgPolicy('settings_identity', { for: 'all', to: identityRole, using: sql`true`, withCheck: sql`true` }),
  ],
);
