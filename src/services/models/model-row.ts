import { and, eq, isNull, type SQL } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { ModelFolder } from './model-files.ts';

export type BaseModelRow = typeof baseModels.$inferSelect;

/** A registered model. Throws `not_found`. */
export async function findModel(tx: Tx, id: string): Promise<BaseModelRow> {
  const [row] = await tx
    .select()
    .from(baseModels)
    .where(and(eq(baseModels.id, id), isNull(baseModels.deleted_at)));
  if (row === undefined) throw new AppError('not_found', 'There is no such base model');
  return row;
}

/** Where a model is seen: in one of the caller's projects, or (null) everywhere. Call it once the project is known to be theirs. */
export const seenIn = (project_id: string | null) => ({ project_id, narrowed: project_id !== null });

/** Which rows a registration may answer again: those of that project, or (null) the shared ones; undefined: all that its caller sees. */
export function isSeenIn(project_id: string | null | undefined): SQL | undefined {
  if (project_id === undefined) return undefined;
  return project_id === null ? eq(baseModels.narrowed, false) : eq(baseModels.project_id, project_id);
}

/** What was read of a model's files, as its row has it. `status_reason` says why a ready model cannot be trained. */
export function columnsOfFolder(folder: ModelFolder) {
  return {
    family: folder.family,
    modality: folder.modality,
    params: folder.params,
    params_b: folder.params / 1e9,
    dtype: folder.dtype,
    context_length: folder.context_length,
    hidden_size: folder.hidden_size,
    num_layers: folder.num_layers,
    vocab_size: folder.vocab_size,
    architecture: folder.architecture,
    shape: folder.shape,
    quantized: folder.quantized,
    has_chat_template: folder.has_chat_template,
    license: folder.license,
    trainable: folder.not_trainable === null,
    status_reason: folder.not_trainable,
    size_bytes: folder.size_bytes,
    metadata: { weights: folder.weights },
  };
}
