import { sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { transfers } from '#/db/schema/transfers.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import type { ModelProgress } from './model-transfers.ts';
import type { TransferRow } from './transfer-row.ts';
import { transitionTransfer } from './transition-transfer.ts';

/** How long a claim is believed without renewal. */
const LEASE_S = 30;

/**
 * A worker's hold on transfers of one kind: taken, kept, and settled under its number. `given_up` is what is said of one
 * that ended its worker each time. What is written under a claim that is lost, as by a cancel, throws `fenced`.
 */
export function transferClaims(kind: 'dataset' | 'artifact', given_up: string) {
  const of_kind = sql`kind = ${kind}`;
  const is_work = sql`${of_kind} AND status IN ('pending', 'running')`;
  const claims = workClaims(transfers, is_work, LEASE_S, 'user_id', of_kind);

  /** Takes the oldest that waits, or whose holder went silent; null when there is none. */
  async function claim(): Promise<TransferRow | null> {
    const taken = await asScheduler(async (tx) => {
      const transfer = await claims.take(tx);
      if (transfer === null) return null;
      if (transfer.attempts > CLAIM_ATTEMPTS_MAX) {
        await transitionTransfer(tx, transfer, { type: 'failed', reason: { code: 'internal', message: given_up } });
        return 'ended' as const;
      }
      if (transfer.status === 'pending') await transitionTransfer(tx, transfer, { type: 'running' });
      return { ...transfer, status: 'running' as const };
    });
    return taken === 'ended' ? claim() : taken;
  }

  return {
    claim,

    /** Keeps the claim inside of a transaction that settles something under it. */
    keep: (tx: Tx, transfer: TransferRow, told?: PgUpdateSetSource<typeof transfers>) => claims.keep(tx, transfer, told),

    /** Keeps the claim and stores how far the transfer is, or how much it is. */
    renew: (transfer: TransferRow, told: ModelProgress | { bytes_total: number; files: number } | null) =>
      asScheduler((tx) => claims.keep(tx, transfer, { ...told })),

    /** It cannot be done, for this reason. */
    fail: (transfer: TransferRow, reason: { code: string; message: string }) =>
      asScheduler(async (tx) => {
        await claims.keep(tx, transfer);
        await transitionTransfer(tx, transfer, { type: 'failed', reason });
      }),

    /** Gives the claim back unused, for a worker that stops. */
    release: (transfer: TransferRow) => claims.release(transfer),
  };
}
