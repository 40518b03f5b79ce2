import { eq } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asIdentity, asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type Metadata, mergeMetadata } from '#/domain/labels.ts';
import type { ModelStage } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { holdProject } from '#/services/projects/project-row.ts';
import { type BaseModelRow, findModel, seenIn } from './model-row.ts';
import { refuseWhileShared } from './model-use.ts';

export interface ModelChanges {
  name?: string | undefined;
  description?: string | undefined;
  stage?: ModelStage | undefined;
  tags?: string[] | undefined;
  model_card?: string | null | undefined;
  metadata?: Metadata | undefined;
  /** One of the importer's projects; null: shared with all. */
  project_id?: string | null | undefined;
}

/**
 * How the caller writes a registered model: as its importer, or, for an administrator, as the login that keeps the
 * installation. Throws `not_found`, and `forbidden` for everybody else.
 */
export async function keeperOf(ctx: Context, id: string, wish: string): Promise<<T>(work: (tx: Tx) => Promise<T>) => Promise<T>> {
  const { created_by } = await asUser(ctx.user_id, (tx) => findModel(tx, id));
  if (created_by === ctx.user_id) return (work) => asUser(ctx.user_id, work);
  if (ctx.role === 'administrator') return asIdentity;
  throw new AppError('forbidden', `Only whoever registered a model, or an administrator, may ${wish} it`);
}

/**
 * Changes what is said about a model; what its files say stays. Throws `not_found` (also of the project), `forbidden` (who did not register it, where it is seen),
 * and `conflict` when it is to be narrowed while others use it.
 */
export async function updateModel(ctx: Context, id: string, changes: ModelChanges): Promise<BaseModelRow> {
  const asKeeper = await keeperOf(ctx, id, 'change');
  return asKeeper(async (tx) => {
    const model = await findModel(tx, id);
    const { metadata, project_id, ...plain } = changes;
    const moved = project_id !== undefined && (project_id !== model.project_id || model.narrowed !== (project_id !== null));
    if (moved) await refuseMove(tx, ctx, model, project_id);
    const user_metadata = mergeMetadata(model.user_metadata, metadata ?? {});
    await tx
      .update(baseModels)
      .set({ ...plain, user_metadata, ...(moved && seenIn(project_id)) })
      .where(eq(baseModels.id, id));
    return findModel(tx, id);
  });
}

async function refuseMove(tx: Tx, ctx: Context, model: BaseModelRow, project_id: string | null): Promise<void> {
  if (model.created_by !== ctx.user_id)
    throw new AppError('forbidden', 'Only whoever registered a model may narrow it to a project of theirs, or share it');
  if (project_id === null) return;
  await holdProject(tx, project_id);
  await refuseWhileShared(tx, model);
}
