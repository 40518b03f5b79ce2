import { eq, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findDataset, refuseWhileNeeded } from './dataset-row.ts';

/**
 * Takes a dataset out of sight; its file goes 30 days later. Throws `not_found`, and `conflict` while a training that is
 * not finished needs it.
 */
export function deleteDataset(ctx: Context, id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    const dataset = await findDataset(tx, ctx.user_id, id, true);
    await refuseWhileNeeded(tx, dataset, 'deleted');
    await tx.update(datasets).set({ deleted_at: sql`now()`, lease_until: null }).where(eq(datasets.id, id));
  });
}
