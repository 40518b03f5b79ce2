/** A worker's hold on one artifact's push to the Hub: taken, kept, and settled under its number. */
import { and, eq, isNull } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { transferClaims } from './transfer-claims.ts';
import type { TransferRow } from './transfer-row.ts';
import { transitionTransfer } from './transition-transfer.ts';

export const pushClaims = transferClaims(
  'artifact',
  'the worker ended several times while it pushed this artifact; see its log, then push it again',
);

/** What of an artifact a push sends. */
export type PushedArtifact = Pick<typeof modelArtifacts.$inferSelect, 'id' | 'name' | 'files' | 'passport'>;

/** The artifact of a push; null when it was deleted meanwhile. */
export async function readPushed({ artifact_id, user_id }: TransferRow): Promise<PushedArtifact | null> {
  if (artifact_id === null) return null;
  const { id, name, files, passport, deleted_at, purged_at } = modelArtifacts;
  const [artifact] = await asScheduler((tx) =>
    tx
      .select({ id, name, files, passport })
      .from(modelArtifacts)
      .where(and(eq(id, artifact_id), eq(modelArtifacts.user_id, user_id), isNull(deleted_at), isNull(purged_at))),
  );
  return artifact ?? null;
}

/** The repository has it, at this commit. Throws `fenced`. */
export function finishPush(transfer: TransferRow, commit: string, bytes: number): Promise<void> {
  return asScheduler(async (tx) => {
    await pushClaims.keep(tx, transfer);
    const brought = { hf_revision: commit, bytes_done: bytes, bytes_total: bytes };
    await transitionTransfer(tx, transfer, { type: 'completed', brought });
  });
}
