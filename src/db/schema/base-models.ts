import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, pgPolicy, real, smallint, text, uuid } from 'drizzle-orm/pg-core';
import type { StoredShape } from '#/domain/foresight/models/stored-shape.ts';
import { BASE_MODEL_STATUSES, MODEL_STAGES } from '#/domain/statuses.ts';
import { users } from './identity.ts';
import { createdAt, id, identityRole, instant, lowrank, oneOf, schedulerRows, updatedAt } from './roles.ts';

/** The shared registry: read by all users, but for what is narrowed to a project of its importer's; written by its importer and administrators. */
export const baseModels = lowrank.table(
  'base_models',
  {
    id: id(),
    created_by: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    /** of its importer's; the migration ties it to both */
    project_id: uuid('project_id'),
    /** seen by its importer alone: stays so, whatever becomes of the project, until it is shared in so many words */
    narrowed: boolean('narrowed').notNull().default(false),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    family: text('family').notNull().default(''),
    /** parameters, in billions, counted from the safetensors headers */
    params_b: real('params_b'),
    /** the same, exact */
    params: bigint('params', { mode: 'number' }),
    dtype: text('dtype'),
    context_length: integer('context_length'),
    hidden_size: integer('hidden_size'),
    num_layers: integer('num_layers'),
    vocab_size: integer('vocab_size'),
    architecture: text('architecture'),
    /** what the planner counts with, from its config.json; null until that was read */
    shape: jsonb('shape').$type<StoredShape>(),
    modality: text('modality').notNull().default('text'),
    trainable: boolean('trainable').notNull().default(false),
    servable: boolean('servable').notNull().default(false),
    quantized: boolean('quantized').notNull().default(false),
    is_gguf: boolean('is_gguf').notNull().default(false),
    stage: text('stage', { enum: MODEL_STAGES }).notNull().default('production'),
    status: text('status', { enum: BASE_MODEL_STATUSES }).notNull(),
    /** why `status` is error: a code, a sentence and the way out */
    status_reason: jsonb('status_reason').$type<{ code: string; message: string } | null>(),
    /** the folder, when the model is registered in place; never sent to a client */
    local_path: text('local_path'),
    /** storage key, when we fetched it */
    storage_path: text('storage_path'),
    size_bytes: bigint('size_bytes', { mode: 'number' }),
    /** SHA-256 over the weight files, hex */
    checksum: text('checksum'),
    hf_repo_id: text('hf_repo_id'),
    /** the commit that the asked-for revision named */
    hf_revision: text('hf_revision'),
    /** as its card says it */
    license: text('license'),
    has_chat_template: boolean('has_chat_template').notNull().default(false),
    tags: text('tags').array().notNull().default([]),
    /** what the system keeps of it; a fetch writes it anew */
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    /** what people say of it beside that */
    user_metadata: jsonb('user_metadata').$type<Record<string, unknown>>().notNull().default({}),
    model_card: text('model_card'),
    /** what was asked for, when it was a branch or tag */
    hf_requested_revision: text('hf_requested_revision'),
    lease_until: instant('lease_until'),
    /** when it was last taken: whose turn comes next goes by it */
    claimed_at: instant('claimed_at'),
    claim: integer('claim').notNull().default(0),
    attempts: smallint('attempts').notNull().default(0),
    purged_at: instant('purged_at'),
    deleted_at: instant('deleted_at'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    check('base_models_status_check', oneOf('status', BASE_MODEL_STATUSES)),
    check('base_models_narrowed_check', sql`project_id is null or narrowed`),
    index('base_models_project').on(t.project_id),
    index('base_models_created').on(t.created_at, t.id),
    index('base_models_importer').on(t.created_by),
    index('base_models_turns').on(t.created_by, t.claimed_at).where(sql`claimed_at is not null`),
    index('base_models_fetching').on(t.created_at).where(sql`status = 'fetching'`),
    pgPolicy('base_models_read', {
      for: 'select',
      to: 'public',
      using: sql`(select auth.uid()) is not null and (not narrowed or created_by = (select auth.uid()))`,
    }),
    pgPolicy('base_models_import', { for: 'insert', to: 'public', withCheck: sql`created_by = (select auth.uid())` }),
    pgPolicy('base_models_importer_update', {
      for: 'update',
      to: 'public',
      using: sql`created_by = (select auth.uid())`,
      withCheck: sql`created_by = (select auth.uid())`,
    }),
    // Administrators write the registry, too; what they may write stands in the grants.
    pgPolicy('base_models_administrators', { for: 'all', to: identityRole, using: sql`true`, withCheck: sql`true` }),
    schedulerRows('base_models'),
  ],
);
