import { sql } from 'drizzle-orm';
import { bigint, check, foreignKey, index, integer, jsonb, smallint, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { ImportOptions } from '#/domain/dataset-import.ts';
import type { PushOptions } from '#/domain/hub-push.ts';
import { OPEN_TRANSFER_STATUSES, TRANSFER_DIRECTIONS, TRANSFER_KINDS, TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { baseModels } from './base-models.ts';
import { datasets } from './datasets.ts';
import { users } from './identity.ts';
import { modelArtifacts } from './jobs.ts';
import { createdAt, id, instant, lowrank, oneOf, ownRows, schedulerRows, updatedAt } from './roles.ts';

const open = oneOf('status', OPEN_TRANSFER_STATUSES);

/**
 * One row a wish for something of the Hub, or that it takes something. A dataset's import and an artifact's push are worked on
 * under their own claims; the fetch of a base model, which all users share, is worked on under the model's, and the transfer of
 * each who waits for it follows.
 */
export const transfers = lowrank.table(
  'transfers',
  {
    id: id(),
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: TRANSFER_KINDS }).notNull(),
    direction: text('direction', { enum: TRANSFER_DIRECTIONS }).notNull().default('import'),
    /** what the dataset or model is to be called; null: as the repository */
    name: text('name'),
    hf_repo_id: text('hf_repo_id').notNull(),
    /** branch, tag or commit, as it was asked for; of a push the branch */
    hf_requested_revision: text('hf_requested_revision').notNull(),
    /** the commit that it named, or that a push made; never changed once it is known */
    hf_revision: text('hf_revision'),
    /** what of a dataset is wanted, and how it is to be read; how a push is to be made */
    options: jsonb('options').$type<ImportOptions & PushOptions>().notNull().default({}),
    status: text('status', { enum: TRANSFER_STATUSES }).notNull().default('pending'),
    bytes_done: bigint('bytes_done', { mode: 'number' }).notNull().default(0),
    /** null until the repository is listed; reserved from the quota from then on */
    bytes_total: bigint('bytes_total', { mode: 'number' }),
    bytes_per_second: bigint('bytes_per_second', { mode: 'number' }),
    /** how many files are fetched or pushed */
    files: integer('files'),
    error_code: text('error_code'),
    error_message: text('error_message'),
    /** the Hub's token for this transfer, sealed; gone when it is over */
    token: text('token'),
    dataset_id: uuid('dataset_id'),
    base_model_id: uuid('base_model_id').references(() => baseModels.id, { onDelete: 'set null' }),
    /** what is pushed */
    artifact_id: uuid('artifact_id'),
    lease_until: instant('lease_until'),
    /** when it was last taken: whose turn comes next goes by it */
    claimed_at: instant('claimed_at'),
    claim: integer('claim').notNull().default(0),
    attempts: smallint('attempts').notNull().default(0),
    started_at: instant('started_at'),
    completed_at: instant('completed_at'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [
    check('transfers_kind_check', oneOf('kind', TRANSFER_KINDS)),
    check('transfers_direction_check', oneOf('direction', TRANSFER_DIRECTIONS)),
    check('transfers_status_check', oneOf('status', TRANSFER_STATUSES)),
    check('transfers_error_check', sql`(status = 'failed') = (error_code is not null and error_message is not null)`),
    check('transfers_pinned_check', sql`status <> 'completed' or hf_revision is not null`),
    check('transfers_model_check', sql`kind = 'model' or base_model_id is null`),
    check('transfers_token_check', sql`token is null or ${open}`),
    check('transfers_dataset_check', sql`dataset_id is null or (kind = 'dataset' and status = 'completed')`),
    check('transfers_artifact_check', sql`kind = 'artifact' or artifact_id is null`),
    check('transfers_export_check', sql`(direction = 'export') = (kind = 'artifact')`),
    // The installation's own token is never what a push is made with.
    check('transfers_push_token_check', sql`kind <> 'artifact' or token is not null or not (${open})`),
    // The migration says `SET NULL (dataset_id)`, which Drizzle cannot: the owner stays.
    foreignKey({
      columns: [t.dataset_id, t.user_id],
      foreignColumns: [datasets.id, datasets.user_id],
      name: 'transfers_dataset_fk',
    }).onDelete('set null'),
    // The same: `SET NULL (artifact_id)`.
    foreignKey({
      columns: [t.artifact_id, t.user_id],
      foreignColumns: [modelArtifacts.id, modelArtifacts.user_id],
      name: 'transfers_artifact_fk',
    }).onDelete('set null'),
    index('transfers_user_created').on(t.user_id, t.created_at, t.id),
    index('transfers_dataset').on(t.dataset_id),
    index('transfers_artifact').on(t.artifact_id),
    index('transfers_model').on(t.base_model_id, t.status),
    uniqueIndex('transfers_open_model_key').on(t.user_id, t.base_model_id).where(open),
    index('transfers_artifacts_waiting').on(t.created_at).where(sql`kind = 'artifact' and ${open}`),
    index('transfers_datasets_waiting').on(t.created_at).where(sql`kind = 'dataset' and ${open}`),
    index('transfers_turns').on(t.user_id, t.kind, t.claimed_at).where(sql`claimed_at is not null`),
    ownRows('transfers'),
    schedulerRows('transfers'),
  ],
);
