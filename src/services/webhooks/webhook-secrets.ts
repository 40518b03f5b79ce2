import { randomBytes, randomUUID } from 'node:crypto';
import { and, count, eq, gt, isNull, or, sql } from 'drizzle-orm';
import { webhookSecrets } from '#/db/schema/webhooks.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { RETIRED_SECRET_HOURS, WEBHOOK_SECRETS_MAX } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { sealSecret } from '#/services/secrets/seal-secret.ts';
import { findWebhook } from './webhook-row.ts';

/** The kind under which signing secrets are sealed. */
export const WEBHOOK_SECRET = 'webhook';
const SECRET_BYTES = 32;

/** A secret as its owner gets it, once, and the row that keeps it sealed. */
export interface NewSecret {
  plain: string;
  row: { id: string; user_id: string; sealed: string };
}

/** Makes a signing secret as Standard Webhooks has them. */
export async function makeSecret(user_id: string): Promise<NewSecret> {
  const id = randomUUID();
  const plain = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  return { plain, row: { id, user_id, sealed: await sealSecret({ kind: WEBHOOK_SECRET, user_id, id }, plain) } };
}

export async function storeSecret(tx: Tx, webhook_id: string, secret: NewSecret): Promise<void> {
  await tx.insert(webhookSecrets).values({ ...secret.row, webhook_id });
}

export interface Rotation {
  /** Told this once; null when the same request is told again. */
  secret: string | null;
  /** Until then the secret before it signs, too. */
  previous_expires_at: Date;
}

/**
 * Gives a webhook a new secret; the one before signs beside it for a day, so that a receiver can change over in between. Throws
 * `not_found`, and `conflict` when too many secrets sign already.
 */
export async function rotateSecret(ctx: Context, webhook_id: string): Promise<Rotation & { secret: string }>;
/** The same for a request that may be told again: then the secret is not told any more. */
export async function rotateSecret(ctx: Context, webhook_id: string, hooks: CreationHooks): Promise<Rotation>;
export async function rotateSecret(ctx: Context, webhook_id: string, hooks: CreationHooks = {}): Promise<Rotation> {
  const secret = await makeSecret(ctx.user_id);
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { secret: null, previous_expires_at: new Date(known) };
    await findWebhook(tx, ctx, webhook_id, { lock: true });
    const own = and(eq(webhookSecrets.user_id, ctx.user_id), eq(webhookSecrets.webhook_id, webhook_id));
    const signing = or(isNull(webhookSecrets.expires_at), gt(webhookSecrets.expires_at, sql`clock_timestamp()`));
    const [counted] = await tx.select({ total: count() }).from(webhookSecrets).where(and(own, signing));
    if ((counted?.total ?? 0) >= WEBHOOK_SECRETS_MAX) {
      throw new AppError(
        'conflict',
        `${WEBHOOK_SECRETS_MAX} secrets sign for this webhook already: each stops ${RETIRED_SECRET_HOURS} hours after the rotation that replaced it`,
      );
    }
    const [retired] = await tx
      .update(webhookSecrets)
      .set({ expires_at: sql`clock_timestamp() + make_interval(hours => ${RETIRED_SECRET_HOURS})` })
      .where(and(own, isNull(webhookSecrets.expires_at)))
      .returning({ expires_at: webhookSecrets.expires_at });
    if (retired?.expires_at == null) throw new Error(`webhook ${webhook_id} had no secret to replace`);
    await storeSecret(tx, webhook_id, secret);
    // What is told again of a rotation is until when the secret before it signs.
    await hooks.after?.(tx, retired.expires_at.toISOString());
    return { secret: secret.plain, previous_expires_at: retired.expires_at };
  });
}
