import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  primaryKey,
  real,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { DATASET_STATUSES } from '#/domain/statuses.ts';
import { users } from './identity.ts';
import { createdAt, id, instant, lowrank, oneOf, ownRows, schedulerRows, updatedAt } from './roles.ts';

export const datasets = lowrank.table(
  'datasets',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** one of the user's own; its key stands in a migration, for it sets null one column of two */
    project_id: uuid('project_id'),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    version: integer('version').notNull().default(1),
    modality: text('modality').notNull().default('text'),
    /** chat, sharegpt, … as detected or told; null until checked */
    format: text('format'),
    /** canonical field → column of the file, when the columns have names of their own */
    mapping: jsonb('mapping').$type<Record<string, string>>().notNull().default({}),
    /** what to do with rows that break a rule: refuse the dataset or leave them out */
    invalid_rows: text('invalid_rows', { enum: ['refuse', 'skip'] })
      .notNull()
      .default('refuse'),
    status: text('status', { enum: DATASET_STATUSES }).notNull().default('uploading'),
    storage_path: text('storage_path'),
    file_name: text('file_name').notNull(),
    file_size: bigint('file_size', { mode: 'number' }).notNull().default(0),
    /** SHA-256 of the file that is trained on, hex */
    checksum: text('checksum'),
    /** that of the file which was uploaded, where another was written of it */
    received_checksum: text('received_checksum'),
    num_samples: integer('num_samples'),
    total_training_pairs: integer('total_training_pairs'),
    total_validation_pairs: integer('total_validation_pairs'),
    total_tokens: bigint('total_tokens', { mode: 'number' }),
    avg_turns_per_conversation: real('avg_turns_per_conversation'),
    avg_tokens_per_turn: real('avg_tokens_per_turn'),
    training_ready: boolean('training_ready').notNull().default(false),
    validated_at: instant('validated_at'),
    /** the first rejected rows: line, code, message, excerpt */
    validation_errors: jsonb('validation_errors').$type<unknown[]>().notNull().default([]),
    /** what is worth knowing of single images: file, code, message; the first of each kind */
    findings: jsonb('findings').$type<unknown[]>().notNull().default([]),
    /** the inspector's whole report, bounded */
    statistics: jsonb('statistics').$type<Record<string, unknown>>().notNull().default({}),
    sample_data: jsonb('sample_data').$type<unknown[]>().notNull().default([]),
    tags: text('tags').array().notNull().default([]),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    /** the worker that checks it, and until when it is believed */
    lease_until: instant('lease_until'),
    /** when it was last taken: whose turn comes next goes by it */
    claimed_at: instant('claimed_at'),
    /** how far a check is, and of how much, while it tells */
    check_done: integer('check_done'),
    check_total: integer('check_total'),
    /** grows with every claim and every wish for a new check: whoever lost it writes nothing */
    claim: integer('claim').notNull().default(0),
    /** checks begun and not ended since the last wish: a file that ends its checker each time is given up on */
    attempts: smallint('attempts').notNull().default(0),
    /** the file is gone for good; the row stays for the jobs that name it */
    purged_at: instant('purged_at'),
    deleted_at: instant('deleted_at'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    unique('datasets_id_user_key').on(t.id, t.user_id),
    check('datasets_status_check', oneOf('status', DATASET_STATUSES)),
    check('datasets_ready_check', sql`status <> 'ready' or (storage_path is not null and checksum is not null)`),
    index('datasets_user_created').on(t.user_id, t.created_at, t.id),
    index('datasets_project').on(t.project_id),
    index('datasets_user_checksum').on(t.user_id, t.checksum),
    index('datasets_turns').on(t.user_id, t.claimed_at).where(sql`claimed_at is not null`),
    index('datasets_validating').on(t.created_at).where(sql`status = 'validating'`),
    ownRows('datasets'),
    schedulerRows('datasets'),
  ],
);

/** The pictures of an image dataset, as its check wrote them; `n` counts from 1 in the order of its archive. */
export const datasetImages = lowrank.table(
  'dataset_images',
  {
    dataset_id: uuid('dataset_id').notNull(),
    user_id: uuid('user_id').notNull(),
    n: integer('n').notNull(),
    /** the name that it came with: a label */
    file: text('file').notNull(),
    caption: text('caption'),
    width: integer('width').notNull(),
    height: integer('height').notNull(),
    bytes: integer('bytes').notNull(),
    /** how often an epoch takes it */
    repeats: integer('repeats').notNull(),
    /** shows the class, not what is to be learned */
    is_class: boolean('is_class').notNull(),
    /** SHA-256 of its bytes in the archive, hex */
    sha256: text('sha256').notNull(),
    /** where its thumbnail lies among those of the dataset */
    thumbnail_offset: integer('thumbnail_offset').notNull(),
    thumbnail_length: integer('thumbnail_length').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.user_id, t.dataset_id, t.n] }),
    foreignKey({
      name: 'dataset_images_dataset_fk',
      columns: [t.dataset_id, t.user_id],
      foreignColumns: [datasets.id, datasets.user_id],
    }).onDelete('cascade'),
    ownRows('dataset_images'),
    schedulerRows('dataset_images'),
  ],
);
