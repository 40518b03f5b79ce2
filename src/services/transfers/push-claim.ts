/** A worker's hold on one artifact's push to the Hub: taken, kept, and settled under its number. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { transfers } from '#/db/schema/transfers.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import type { ModelProgress } from './model-transfers.ts';
import type { TransferRow } from './transfer-row.ts';
import { transitionTransfer } from './transition-transfer.ts';

/** How long a claim is believed without renewal. */
const PUSH_LEASE_S = 30;
const claims = workClaims(transfers, sql`kind = 'artifact' AND status IN ('pending', 'running')`, PUSH_LEASE_S, 'user_id');

/** What of an artifact a push sends. */
export type PushedArtifact = Pick<typeof modelArtifacts.$inferSelect, 'id' | 'name' | 'files' | 'passport'>;

export interface PushClaim {
  transfer: TransferRow;
  /** null: it was deleted meanwhile. */
  artifact: PushedArtifact | null;
}

/** Takes the oldest push that waits, or whose holder went silent; null when there is none. */
export async function claimPush(): Promise<PushClaim | null> {
  const claim = await asScheduler(async (tx) => {
    const transfer = await claims.take(tx);
    if (transfer === null) return null;
    if (transfer.attempts > CLAIM_ATTEMPTS_MAX) {
      const message = 'the worker ended several times while it pushed this artifact; see its log, then push it again';
      await transitionTransfer(tx, transfer, { type: 'failed', reason: { code: 'internal', message } });
      return 'ended' as const;
    }
    if (transfer.status === 'pending') await transitionTransfer(tx, transfer, { type: 'running' });
    return { transfer: { ...transfer, status: 'running' as const }, artifact: await readArtifact(tx, transfer) };
  });
  return claim === 'ended' ? claimPush() : claim;
}

async function readArtifact(tx: Tx, { artifact_id, user_id }: TransferRow): Promise<PushedArtifact | null> {
  if (artifact_id === null) return null;
  const { id, name, files, passport, deleted_at, purged_at } = modelArtifacts;
  const [artifact] = await tx
    .select({ id, name, files, passport })
    .from(modelArtifacts)
    .where(and(eq(id, artifact_id), eq(modelArtifacts.user_id, user_id), isNull(deleted_at), isNull(purged_at)));
  return artifact ?? null;
}

/** Keeps the claim and stores how far the push is, or how much it is. Throws `fenced`, also when it was cancelled. */
export function renewPush(
  transfer: TransferRow,
  told: ModelProgress | { bytes_total: number; files: number } | null,
): Promise<void> {
  return asScheduler((tx) => claims.keep(tx, transfer, { ...told }));
}

/** The repository has it, at this commit. Throws `fenced`. */
export function finishPush(transfer: TransferRow, commit: string, bytes: number): Promise<void> {
  return asScheduler(async (tx) => {
    await claims.keep(tx, transfer);
    const brought = { hf_revision: commit, bytes_done: bytes, bytes_total: bytes };
    await transitionTransfer(tx, transfer, { type: 'completed', brought });
  });
}

/** It cannot be brought there, for this reason. Throws `fenced`. */
export function failPush(transfer: TransferRow, reason: { code: string; message: string }): Promise<void> {
  return asScheduler(async (tx) => {
    await claims.keep(tx, transfer);
    await transitionTransfer(tx, transfer, { type: 'failed', reason });
  });
}

export const releasePush = (transfer: TransferRow) => claims.release(transfer);
