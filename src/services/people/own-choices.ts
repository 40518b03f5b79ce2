import { eq } from 'drizzle-orm';
import { userQueues } from '#/db/schema/jobs.ts';
import { asIdentity } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { checkDefaultModel, refuseNarrowedDefault } from '#/services/models/check-default-model.ts';

/** What people decide for themselves. */
export interface OwnChoices {
  /** What they train where they name no base model; null: what the installation says. */
  default_base_model_id: string | null;
}

/** What the caller has chosen. */
export async function readOwnChoices(ctx: Context): Promise<OwnChoices> {
  const [own] = await asIdentity((tx) =>
    tx
      .select({ default_base_model_id: userQueues.default_base_model_id })
      .from(userQueues)
      .where(eq(userQueues.user_id, ctx.user_id)),
  );
  return own ?? { default_base_model_id: null };
}

/**
 * Changes what the caller has chosen, for their submissions from now on. Throws `not_found`, `base_model_not_ready` and
 * `not_trainable` for a base model that cannot be trained.
 */
export async function changeOwnChoices(ctx: Context, { default_base_model_id }: OwnChoices): Promise<void> {
  if (default_base_model_id !== null) await checkDefaultModel(ctx, default_base_model_id);
  await asIdentity(async (tx) => {
    if (default_base_model_id !== null) await refuseNarrowedDefault(tx, default_base_model_id, ctx, 'own');
    await tx.update(userQueues).set({ default_base_model_id }).where(eq(userQueues.user_id, ctx.user_id));
  });
}
