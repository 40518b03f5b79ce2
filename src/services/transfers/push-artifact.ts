import { randomUUID } from 'node:crypto';
import { transfers } from '#/db/schema/transfers.ts';
import { asUser } from '#/db/tenancy.ts';
import { findArtifact } from '#/services/artifacts/artifact-row.ts';
import type { Context } from '#/services/context.ts';
import type { TransferHooks } from './create-transfer.ts';
import { sealHubToken } from './hub-token.ts';
import { findTransfer, type TransferRow } from './transfer-row.ts';

/** Where an artifact is to go. */
export interface PushWish {
  hf_repo_id: string;
  /** A branch. */
  revision: string;
  /** Of a repository that is made by it. */
  private: boolean;
  /** The commit's title; the artifact's name unless said. */
  message?: string | undefined;
  /** The caller's own, with the right to write there. */
  token: string;
}

/** Asks for an artifact to be brought to the Hub, which a worker then does. Throws `not_found`. */
export function pushArtifact(ctx: Context, artifact_id: string, wish: PushWish, hooks: TransferHooks = {}): Promise<TransferRow> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return findTransfer(tx, ctx.user_id, known);
    await findArtifact(tx, ctx.user_id, artifact_id);
    const row = { id: randomUUID(), user_id: ctx.user_id };
    const [transfer] = await tx
      .insert(transfers)
      .values({
        ...row,
        kind: 'artifact',
        direction: 'export',
        artifact_id,
        hf_repo_id: wish.hf_repo_id,
        hf_requested_revision: wish.revision,
        options: { private: wish.private, message: wish.message },
        token: await sealHubToken(row, wish.token),
      })
      .returning();
    if (transfer === undefined) throw new Error('the insert of a transfer returned no row');
    await hooks.after?.(tx, transfer.id);
    return transfer;
  });
}
