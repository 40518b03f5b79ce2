import { and, eq } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { lockQuota, quotaExceeded, storageUsage } from '#/services/storage/reserve-space.ts';
import { type ArtifactRow, findArtifact } from './artifact-row.ts';

/**
 * Takes a deletion back while the files are still kept. Throws `not_found` (never there, or gone for good), `conflict`
 * (not deleted) and `quota_exceeded`.
 */
export function restoreArtifact(ctx: Context, id: string): Promise<ArtifactRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [deleted] = await tx
      .select()
      .from(modelArtifacts)
      .where(and(eq(modelArtifacts.id, id), eq(modelArtifacts.user_id, ctx.user_id)))
      .for('update');
    if (deleted === undefined || deleted.purged_at !== null) throw new AppError('not_found', 'There is no such artifact');
    if (deleted.deleted_at === null)
      throw new AppError('conflict', `${deleted.name} is not deleted: there is nothing to restore`);
    await lockQuota(tx, ctx.user_id);
    const usage = await storageUsage(tx, ctx.user_id);
    if (usage.bytes + deleted.size > usage.quota_bytes) throw quotaExceeded(usage, deleted.size);
    await tx.update(modelArtifacts).set({ deleted_at: null }).where(eq(modelArtifacts.id, id));
    return findArtifact(tx, ctx.user_id, id);
  });
}
