import { and, eq, notInArray, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { TERMINAL_JOB_STATUSES } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { findModel } from './model-row.ts';

/**
 * Takes a model that the caller registered out of the registry; jobs that name it keep it. Throws `not_found`,
 * `forbidden` for a model of somebody else, and `conflict` while a training of the caller's needs it.
 */
export function deleteModel(ctx: Context, id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    const model = await findModel(tx, id);
    if (model.created_by !== ctx.user_id) throw new AppError('forbidden', 'Only whoever registered a model may delete it');
    const [job] = await tx
      .select({ name: trainingJobs.name })
      .from(trainingJobs)
      .where(and(eq(trainingJobs.base_model_id, id), notInArray(trainingJobs.status, [...TERMINAL_JOB_STATUSES])))
      .limit(1);
    if (job !== undefined) {
      throw new AppError(
        'conflict',
        `${model.name} cannot be deleted while a training needs it (${job.name}): wait for its end or cancel it`,
      );
    }
    await tx.update(baseModels).set({ deleted_at: sql`now()` }).where(eq(baseModels.id, id));
  });
}
