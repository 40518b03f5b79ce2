import { eq } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asIdentity, asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type Metadata, mergeMetadata } from '#/domain/labels.ts';
import type { ModelStage } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { type BaseModelRow, findModel } from './model-row.ts';

export interface ModelChanges {
  name?: string | undefined;
  description?: string | undefined;
  stage?: ModelStage | undefined;
  tags?: string[] | undefined;
  model_card?: string | null | undefined;
  metadata?: Metadata | undefined;
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

/** Changes what is said about a model; what its files say stays. Throws `not_found` and `forbidden`. */
export async function updateModel(ctx: Context, id: string, changes: ModelChanges): Promise<BaseModelRow> {
  const asKeeper = await keeperOf(ctx, id, 'change');
  return asKeeper(async (tx) => {
    const model = await findModel(tx, id);
    const { metadata, ...plain } = changes;
    const user_metadata = mergeMetadata(model.user_metadata, metadata ?? {});
    await tx
      .update(baseModels)
      .set({ ...plain, user_metadata })
      .where(eq(baseModels.id, id));
    return findModel(tx, id);
  });
}
