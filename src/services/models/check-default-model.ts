import { and, eq, isNull } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asUser } from '#/db/tenancy.ts';
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
  if (model === undefined) {
    throw new AppError('not_found', 'There is no such base model', [
      { path: 'default_base_model_id', message: 'no such base model', code: 'not_found' },
    ]);
  }
  refuseUntrainable(model);
}
