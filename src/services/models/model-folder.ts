import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isShapeRead } from '#/domain/foresight/models/stored-shape.ts';
import { storage } from '#/storage/connect-storage.ts';
import { SHARED_OWNER } from '#/storage/storage.ts';
import { type BaseModelRow, findModel } from './model-row.ts';
import { readShape } from './read-model-folder.ts';
import { realModelFolders } from './register-local-model.ts';

/** What a run is told of its base model. */
export interface ModelLocation {
  /** Absolute path of the folder on this machine. */
  path: string;
  /** What the adapter names as its base: the Hub id or the registered name, never a path. */
  id: string;
  /** The commit, for a model of the Hub. */
  revision: string | null;
  /** Tokens; null where the model does not say. */
  context_length: number | null;
}

async function fetchedFolder({ id, name }: BaseModelRow, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await storage().folderOnDisk(SHARED_OWNER, id, signal);
  } catch (error) {
    if (!(error instanceof AppError && (error.code === 'not_found' || error.code === 'conflict'))) throw error;
    const what = error.code === 'not_found' ? 'are not in the storage any more' : 'in the storage have changed';
    throw new AppError('base_model_not_ready', `The files of base model ${name} ${what}: fetch it again`);
  }
}

/**
 * Where a ready model lies. Throws `not_found`, and `base_model_not_ready` when it is not ready or its weights are no
 * longer those that were registered (gone, or of another size).
 */
export async function modelFolder(model_id: string, signal?: AbortSignal): Promise<ModelLocation> {
  const model = await asScheduler((tx) => findModel(tx, model_id));
  if (model.status !== 'ready') throw new AppError('base_model_not_ready', `Base model ${model.name} is not ready`);
  const path = model.local_path ?? (await fetchedFolder(model, signal));
  const weights = Array.isArray(model.metadata.weights) ? (model.metadata.weights as { path: string; bytes: number }[]) : [];
  for (const file of weights) {
    const facts = await stat(join(path, file.path)).catch(() => null);
    if (facts?.size !== file.bytes) {
      const what = facts === null ? 'is gone' : 'has changed';
      throw new AppError(
        'base_model_not_ready',
        `A weight file of base model ${model.name} ${what} since it was registered: register it again`,
      );
    }
  }
  if (!isShapeRead(model.shape)) await keepShape(model.id, path);
  return { path, id: model.hf_repo_id ?? model.name, revision: model.hf_revision, context_length: model.context_length };
}

/** A row of an earlier release, or of another reading of shapes, gets its shape now that its files are at hand. */
async function keepShape(model_id: string, folder: string): Promise<void> {
  const real = await realpath(folder).catch(() => null);
  // A folder that is gone is told by whoever reads what lies in it.
  if (real === null) return;
  const shape = await readShape(folder, [real, ...(await realModelFolders())]);
  await asScheduler((tx) => tx.update(baseModels).set({ shape }).where(eq(baseModels.id, model_id)));
}
