import { eq, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { transfers } from '#/db/schema/transfers.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { transitionTransfer } from './transition-transfer.ts';

const NO_REASON = { code: 'internal', message: 'it could not be fetched: register it again' };

/**
 * Takes one transfer whose base model is settled to its end: completed when the model is there, failed with the model's
 * reason, cancelled when the model was deleted. False when there is none.
 */
export function settleModelTransfer(): Promise<boolean> {
  return asScheduler(async (tx) => {
    const waiting = await tx.execute<{ id: string }>(sql`
      SELECT t.id FROM lowrank.transfers t JOIN lowrank.base_models m ON m.id = t.base_model_id
      WHERE t.status IN ('pending', 'running') AND (m.status <> 'fetching' OR m.deleted_at IS NOT NULL)
      ORDER BY t.created_at LIMIT 1 FOR NO KEY UPDATE OF t SKIP LOCKED`);
    const id = waiting.rows[0]?.id;
    if (id === undefined) return false;
    const [found] = await tx
      .select({ transfer: transfers, model: baseModels })
      .from(transfers)
      .innerJoin(baseModels, eq(baseModels.id, transfers.base_model_id))
      .where(eq(transfers.id, id));
    if (found === undefined) return false;
    const { transfer, model } = found;
    if (model.deleted_at !== null) await transitionTransfer(tx, transfer, { type: 'cancelled' });
    else if (model.status === 'ready') {
      const bytes = transfer.bytes_total ?? model.size_bytes ?? 0;
      const brought = { hf_revision: transfer.hf_revision ?? model.hf_revision, bytes_done: bytes, bytes_total: bytes };
      await transitionTransfer(tx, transfer, { type: 'completed', brought });
    } else if (model.status === 'error') {
      await transitionTransfer(tx, transfer, { type: 'failed', reason: model.status_reason ?? NO_REASON });
    }
    return true;
  });
}
