import { and, desc, eq, isNull, or, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import type { Context } from '#/services/context.ts';
import { checkDisk, reserveQuota } from '#/services/storage/reserve-space.ts';
import { onceRegistered, type RegisteredModel, type RegistrationHooks } from './register-local-model.ts';

/**
 * Registers a model of the Hub, which a worker then fetches. The same repository and revision (or the commit that it was
 * pinned to) is answered again instead; one whose fetch failed is tried again. Throws `quota_exceeded`, `storage_full`.
 */
export async function registerHubModel(
  ctx: Context,
  wish: { hf_repo_id: string; revision: string; name?: string | undefined },
  hooks: RegistrationHooks = {},
): Promise<RegisteredModel> {
  await checkDisk(0);
  return onceRegistered(ctx, hooks, async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`model:${wish.hf_repo_id}`}, 0))`);
    const [known] = await tx
      .select()
      .from(baseModels)
      .where(
        and(
          eq(baseModels.hf_repo_id, wish.hf_repo_id),
          or(eq(baseModels.hf_requested_revision, wish.revision), eq(baseModels.hf_revision, wish.revision)),
          isNull(baseModels.deleted_at),
        ),
      )
      // Of two rows for one revision the one that serves is answered.
      .orderBy(sql`status = 'error'`, desc(baseModels.created_at))
      .limit(1);
    if (known !== undefined && known.status !== 'error') return { model: known, created: false };
    await reserveQuota(tx, ctx.user_id, null, Number.MAX_SAFE_INTEGER);
    if (known !== undefined) {
      const [again] = await tx
        .update(baseModels)
        .set({ status: 'fetching', status_reason: null, lease_until: null, attempts: 0, claim: known.claim + 1 })
        .where(eq(baseModels.id, known.id))
        .returning();
      // Somebody else's failed row is theirs: the caller gets one of their own.
      if (again !== undefined) return { model: again, created: false };
    }
    const [model] = await tx
      .insert(baseModels)
      .values({
        created_by: ctx.user_id,
        name: wish.name ?? wish.hf_repo_id,
        status: 'fetching',
        hf_repo_id: wish.hf_repo_id,
        hf_requested_revision: wish.revision,
      })
      .returning();
    if (model === undefined) throw new Error('the insert of a base model returned no row');
    return { model, created: true };
  });
}
