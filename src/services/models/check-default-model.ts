import { and, eq, isNull } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { refuseUntrainable } from '#/services/jobs/create-job.ts';

/** Whether a base model can be anybody's default. Throws `not_found`, `base_model_not_ready` and `not_trainable`. */
export async function checkDefaultModel(ctx: Context, id: string): Promise<void> {
  const [model] = await asUser(ctx.user_id, (tx) =>
    tx
      .select()
      .from(baseModels)
      .where(and(eq(baseModels.id, id), isNull(baseModels.deleted_at))),
  );
  if (model === undefined) throw noSuchDefault();
  refuseUntrainable(model);
  if (model.modality === 'text') return;
  const message = `${model.name} is no language model, and submissions that name no base model are of text: choose a language model`;
  throw new AppError('not_trainable', message, [{ path: 'default_base_model_id', message, code: 'modality_mismatch' }]);
}

const noSuchDefault = () =>
  new AppError('not_found', 'There is no such base model', [
    { path: 'default_base_model_id', message: 'no such base model', code: 'not_found' },
  ]);

/**
 * Refuses a default that may not be everybody's, in the transaction of the identity login that stores it: who narrows the model waits
 * for that, or was there first. `of`: whose default it is to be. Throws `not_found` and `conflict`.
 */
export async function refuseNarrowedDefault(tx: Tx, id: string, ctx: Context, of: 'own' | 'installation'): Promise<void> {
  const [model] = await tx
    .select({ name: baseModels.name, narrowed: baseModels.narrowed, created_by: baseModels.created_by })
    .from(baseModels)
    .where(eq(baseModels.id, id))
    .for('key share');
  if (model === undefined || (model.narrowed && model.created_by !== ctx.user_id)) throw noSuchDefault();
  if (of === 'own' || !model.narrowed) return;
  const message = `${model.name} is narrowed to a project and cannot be the default of all: share it first (PATCH it with project_id null)`;
  throw new AppError('conflict', message, [{ path: 'default_base_model_id', message, code: 'model_narrowed' }]);
}
