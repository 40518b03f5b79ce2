import { and, desc, eq, isNull, or, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import type { Tx } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { holdProject } from '#/services/projects/project-row.ts';
import { checkDisk, reserveQuota } from '#/services/storage/reserve-space.ts';
import { lockHubModels, openModelTransfer } from '#/services/transfers/model-transfers.ts';
import { type BaseModelRow, isSeenIn, seenIn } from './model-row.ts';
import { onceRegistered, type RegisteredModel, type RegistrationHooks, tellRegistered } from './register-local-model.ts';

/** A model of the Hub, as somebody names it. */
export interface HubWish {
  hf_repo_id: string;
  revision: string;
  name?: string | undefined;
  /** The caller's project that it is narrowed to; null: shared; left out: as it is there already, else shared. */
  project_id?: string | null | undefined;
  /** A token of the Hub for this fetch alone. */
  token?: string | undefined;
}

/**
 * Registers a model of the Hub, which a worker then fetches. The same repository and revision (or the commit that it was
 * pinned to) is answered again instead; one whose fetch failed is tried again. One that is narrowed to somebody else's project is none.
 * Throws `not_found` (project), `quota_exceeded`, `storage_full`.
 */
export function registerHubModel(ctx: Context, wish: HubWish, hooks: RegistrationHooks = {}): Promise<RegisteredModel> {
  return onceRegistered(ctx, hooks, (tx) => obtainHubModel(tx, ctx, wish));
}

/** The same in the caller's transaction. Who gets a model that is still to be fetched has a transfer that follows it. */
export async function obtainHubModel(tx: Tx, ctx: Context, wish: HubWish): Promise<RegisteredModel> {
  const registered = await findOrRegister(tx, ctx, wish);
  if (registered.model.status === 'fetching') await openModelTransfer(tx, ctx, registered.model, wish);
  return registered;
}

/** The same without a transfer, for whoever opens one. */
export async function findOrRegister(tx: Tx, ctx: Context, wish: HubWish): Promise<RegisteredModel> {
  if (wish.project_id != null) await holdProject(tx, wish.project_id);
  const ready = await findHubModel(tx, wish);
  if (ready?.status === 'ready') return { model: ready, created: false };
  await lockHubModels(tx, wish.hf_repo_id);
  const known = await findHubModel(tx, wish);
  if (known !== undefined && known.status !== 'error') return { model: known, created: false };
  await checkDisk(0);
  await reserveQuota(tx, ctx.user_id, null, Number.MAX_SAFE_INTEGER);
  if (known !== undefined) {
    const [again] = await tx
      .update(baseModels)
      .set({
        status: 'fetching',
        status_reason: null,
        // A branch may have moved on since: only who asks for the commit itself gets that one again.
        hf_revision: known.hf_revision === wish.revision ? known.hf_revision : null,
        lease_until: null,
        attempts: 0,
        claim: known.claim + 1,
      })
      .where(eq(baseModels.id, known.id))
      .returning();
    // Somebody else's failed row is theirs: the caller gets one of their own.
    if (again !== undefined) return { model: again, created: false };
  }
  const [model] = await tx
    .insert(baseModels)
    .values({
      created_by: ctx.user_id,
      ...seenIn(wish.project_id ?? null),
      name: wish.name ?? wish.hf_repo_id,
      status: 'fetching',
      hf_repo_id: wish.hf_repo_id,
      hf_requested_revision: wish.revision,
    })
    .returning();
  if (model === undefined) throw new Error('the insert of a base model returned no row');
  await tellRegistered(tx, model, ctx.user_id);
  return { model, created: true };
}

async function findHubModel(tx: Tx, wish: HubWish): Promise<BaseModelRow | undefined> {
  const [known] = await tx
    .select()
    .from(baseModels)
    .where(
      and(
        eq(baseModels.hf_repo_id, wish.hf_repo_id),
        or(eq(baseModels.hf_requested_revision, wish.revision), eq(baseModels.hf_revision, wish.revision)),
        isSeenIn(wish.project_id),
        isNull(baseModels.deleted_at),
      ),
    )
    // Of two rows for one revision the one that serves is answered, and a shared one rather than a narrowed one.
    .orderBy(sql`status = 'error'`, baseModels.narrowed, desc(baseModels.created_at))
    .limit(1);
  return known;
}
