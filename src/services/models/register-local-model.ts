import { realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { nameFromModelFolder } from '#/domain/model-folder-name.ts';
import { recordActivity } from '#/services/activities/record-activity.ts';
import type { Context } from '#/services/context.ts';
import { holdProject } from '#/services/projects/project-row.ts';
import { modelFolders } from '#/storage/limits.ts';
import { isWithin } from './model-files.ts';
import { type BaseModelRow, columnsOfFolder, findModel, isSeenIn, seenIn } from './model-row.ts';
import { refuseWhileTrainedOn } from './model-use.ts';
import { readModelFolder } from './read-model-folder.ts';
import { hashWeights } from './weights-checksum.ts';

/** Weights up to this size are summed while the caller waits; larger ones by the worker. */
const SUMMED_AT_ONCE_BYTES = 64 * 1024 * 1024;

/** Run in the transaction that stores the model, so that a request told twice makes one. */
export interface RegistrationHooks {
  /** Runs first; a model id that it returns is answered instead of a new model. */
  before?: (tx: Tx) => Promise<string | null>;
  /** Runs last, once the model is stored. */
  after?: (tx: Tx, model_id: string, created: boolean) => Promise<void>;
}

export interface RegisteredModel {
  model: BaseModelRow;
  /** False when the same model stood there already and is answered again. */
  created: boolean;
}

/**
 * Registers a model that lies in a folder of this machine, in place: nothing is copied. Only administrators may, and only
 * below the allowed folders. Throws `forbidden`, `not_found` (project), `invalid_request`, whose row says what the folder lacks, and `conflict` when its weights have
 * changed while trainings on the old ones are not over.
 */
export async function registerLocalModel(
  ctx: Context,
  wish: { path: string; name?: string | undefined; project_id?: string | null | undefined },
  hooks: RegistrationHooks = {},
): Promise<RegisteredModel> {
  if (ctx.role !== 'administrator') {
    throw new AppError('forbidden', 'Only an administrator may register a folder of this machine; give a Hub id instead');
  }
  const { folder, roots } = await allowedFolder(wish.path);
  const reading = await readModelFolder(folder, roots);
  if (!reading.ok) throw refused(`The model in that folder is refused: ${reading.refusal.message}`, reading.refusal.code);
  const { weights, size_bytes } = reading.folder;
  const checksum =
    size_bytes > SUMMED_AT_ONCE_BYTES
      ? null
      : await hashWeights(
          folder,
          weights.map((file) => file.path),
        );
  return onceRegistered(ctx, hooks, async (tx) => {
    if (wish.project_id != null) await holdProject(tx, wish.project_id);
    await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`model:${folder}`}, 0))`);
    const [known] = await tx
      .select()
      .from(baseModels)
      .where(and(eq(baseModels.local_path, folder), isSeenIn(wish.project_id), isNull(baseModels.deleted_at)))
      .orderBy(baseModels.narrowed, sql`created_at desc`)
      .limit(1);
    if (known !== undefined && isSame(known, weights, checksum)) return { model: known, created: false };
    if (known?.created_by === ctx.user_id) await refuseWhileTrainedOn(tx, ctx, known, 'replaced by what its folder holds now');
    const [model] = await tx
      .insert(baseModels)
      .values({
        ...columnsOfFolder(reading.folder),
        created_by: ctx.user_id,
        // What takes the place of a narrowed one is no more shared than that was.
        ...seenIn(wish.project_id === undefined ? (known?.project_id ?? null) : wish.project_id),
        name: wish.name ?? nameFromModelFolder(folder),
        local_path: folder,
        checksum,
        status: checksum === null ? 'fetching' : 'ready',
      })
      .returning();
    if (model === undefined) throw new Error('the insert of a base model returned no row');
    await tellRegistered(tx, model, ctx.user_id);
    // The folder holds other weights than it did: jobs that are over keep the old row, new jobs take this one.
    if (known !== undefined) await tx.update(baseModels).set({ deleted_at: sql`now()` }).where(eq(baseModels.id, known.id));
    return { model, created: true };
  });
}

/** Tells in its importer's feed of a model that was registered anew. */
export function tellRegistered(tx: Tx, model: BaseModelRow, user_id: string): Promise<void> {
  return recordActivity(tx, {
    user_id,
    event_type: 'model_created',
    entity_type: 'model',
    entity_id: model.id,
    message: model.name,
    status: model.status,
    metadata: { hf_repo_id: model.hf_repo_id },
  });
}

/** Runs a registration in one transaction between its hooks. */
export function onceRegistered(
  ctx: Context,
  hooks: RegistrationHooks,
  register: (tx: Tx) => Promise<RegisteredModel>,
): Promise<RegisteredModel> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { model: await findModel(tx, known), created: false };
    const registered = await register(tx);
    await hooks.after?.(tx, registered.model.id, registered.created);
    return registered;
  });
}

function isSame(known: BaseModelRow, weights: { path: string; bytes: number }[], checksum: string | null): boolean {
  if (known.status === 'error') return false;
  if (checksum !== null) return known.checksum === checksum;
  return JSON.stringify(known.metadata.weights) === JSON.stringify(weights);
}

/** The real path of a folder below the allowed ones, and their real paths. */
async function allowedFolder(path: string): Promise<{ folder: string; roots: string[] }> {
  if (!isAbsolute(path) || path.includes('\0'))
    throw refused('path must be an absolute path of a folder on this machine', 'invalid_path');
  const roots = await realModelFolders();
  // One answer for what is absent and what is not allowed: the disk's outline stays its own.
  // A trailing dot lets only a folder through.
  const folder = await realpath(`${path}/.`).catch(() => null);
  if (folder === null || !isWithin(folder, roots)) {
    const way = 'move it into the folder models of the data directory, or name its folder in LOWRANK_MODEL_FOLDERS';
    throw refused(`path must be an existing folder below an allowed one: ${way}`, 'folder_not_allowed');
  }
  return { folder, roots };
}

/** The allowed folders that exist, without links. */
export async function realModelFolders(): Promise<string[]> {
  const real = await Promise.all(modelFolders().map((folder) => realpath(folder).catch(() => null)));
  return real.filter((folder) => folder !== null);
}

function refused(message: string, code: string): AppError {
  return new AppError('invalid_request', message, [{ path: 'path', message, code }]);
}
