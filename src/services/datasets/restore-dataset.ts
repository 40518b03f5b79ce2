import { and, eq, isNotNull } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { lockQuota, quotaExceeded, storageUsage } from '#/services/storage/reserve-space.ts';
import { type DatasetRow, noSuchDataset } from './dataset-row.ts';

/**
 * Takes a deletion back while the file is still kept. Throws `not_found` (never there, not deleted, or gone for good) and
 * `quota_exceeded`.
 */
export function restoreDataset(ctx: Context, id: string): Promise<DatasetRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [deleted] = await tx
      .select()
      .from(datasets)
      .where(and(eq(datasets.id, id), eq(datasets.user_id, ctx.user_id)))
      .for('update');
    if (deleted === undefined || deleted.purged_at !== null || deleted.storage_path === null) throw noSuchDataset();
    if (deleted.deleted_at === null)
      throw new AppError('conflict', `${deleted.name} is not deleted: there is nothing to restore`);
    await lockQuota(tx, ctx.user_id);
    const usage = await storageUsage(tx, ctx.user_id);
    if (usage.bytes + deleted.file_size > usage.quota_bytes) throw quotaExceeded(usage, deleted.file_size);
    const [restored] = await tx
      .update(datasets)
      // A check that was broken off by the deletion is taken up again by itself.
      .set({ deleted_at: null, attempts: 0 })
      .where(and(eq(datasets.id, id), isNotNull(datasets.deleted_at)))
      .returning();
    if (restored === undefined) throw new Error('the update of a locked dataset returned no row');
    return restored;
  });
}
