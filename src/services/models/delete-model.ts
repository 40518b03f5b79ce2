import { and, eq, notInArray, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { TERMINAL_JOB_STATUSES } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { findModel } from './model-row.ts';
import { modelInUse, refuseWhileTrainedOn } from './model-use.ts';
import { keeperOf } from './update-model.ts';

/**
 * Takes a model out of the registry (its importer or an administrator); jobs that name it keep it. Throws `not_found`,
 * `forbidden`, and `conflict` while a training that is not over needs it, whoever's.
 */
export async function deleteModel(ctx: Context, id: string): Promise<void> {
  const asKeeper = await keeperOf(ctx, id, 'delete');
  await asUser(ctx.user_id, async (tx) => {
    const model = await findModel(tx, id);
    const [job] = await tx
      .select({ name: trainingJobs.name })
      .from(trainingJobs)
      .where(and(eq(trainingJobs.base_model_id, id), notInArray(trainingJobs.status, [...TERMINAL_JOB_STATUSES])))
      .limit(1);
    if (job === undefined) return;
    throw modelInUse(`${model.name} cannot be deleted while a training needs it (${job.name}): wait for its end or cancel it`);
  });
  await asKeeper(async (tx) => {
    await refuseWhileTrainedOn(tx, ctx, await findModel(tx, id), 'deleted');
    await tx.update(baseModels).set({ deleted_at: sql`now()` }).where(eq(baseModels.id, id));
  });
}
