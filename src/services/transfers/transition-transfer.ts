import { and, eq } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { transfers } from '#/db/schema/transfers.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { TransferStatus } from '#/domain/transfer-state.ts';
import { recordActivity } from '#/services/activities/record-activity.ts';
import { announce } from '#/services/notifications/announce.ts';
import type { TransferRow } from './transfer-row.ts';

/** What can happen to a transfer; each is one legal move of its status. */
export type TransferHappening =
  | { type: 'running' }
  | { type: 'completed'; brought: Partial<Pick<TransferRow, 'hf_revision' | 'bytes_done' | 'bytes_total' | 'dataset_id'>> }
  | { type: 'failed'; reason: { code: string; message: string } }
  | { type: 'cancelled' };

/**
 * The one writer of a transfer's status: moves it from the status that was seen, in the caller's transaction, with its
 * activity and its notification. The database refuses what is no legal move. Throws `fenced` when the row moved on meanwhile.
 */
export async function transitionTransfer(tx: Tx, transfer: TransferRow, happening: TransferHappening): Promise<void> {
  const status: TransferStatus = happening.type;
  const moved = await tx
    .update(transfers)
    .set({
      status,
      ...(happening.type === 'completed' && happening.brought),
      ...(happening.type === 'failed' && { error_code: happening.reason.code, error_message: happening.reason.message }),
    })
    .where(and(eq(transfers.id, transfer.id), eq(transfers.status, transfer.status)))
    .returning();
  const [after] = moved;
  if (after === undefined) throw new AppError('fenced', `Transfer ${transfer.id} moved on while it was being moved`);
  await tell(tx, after);
}

const TOLD = { running: 'transfer_started', completed: 'transfer_completed', failed: 'transfer_failed' } as const;

/** Who asked is told in the same transaction: by the feed of each step, by a notification of the end. */
async function tell(tx: Tx, transfer: TransferRow): Promise<void> {
  const { id, user_id, kind, status, dataset_id, base_model_id, artifact_id, hf_repo_id } = transfer;
  if (status === 'pending' || status === 'cancelled') return;
  const what = transfer.name ?? hf_repo_id;
  const message = status === 'failed' ? `${what}: ${transfer.error_message}` : what;
  await recordActivity(tx, {
    user_id,
    event_type: TOLD[status],
    entity_type: 'transfer',
    entity_id: id,
    message,
    status,
    metadata: { kind, hf_repo_id, dataset_id, base_model_id, artifact_id },
  });
  if (status === 'running') return;
  const metadata = { transfer_id: id, dataset_id, base_model_id, artifact_id };
  const failure = status === 'failed' ? { code: transfer.error_code, message: transfer.error_message } : null;
  const data = { kind, hf_repo_id, name: what, status, failure };
  await announce(tx, { user_id, type: TOLD[status], message, action_url: await pageOf(tx, transfer), metadata, data });
}

/** Where what was transferred is seen: an artifact on the page of its job. */
async function pageOf(tx: Tx, { kind, dataset_id, artifact_id }: TransferRow): Promise<string> {
  if (kind === 'model') return '/models';
  if (kind === 'dataset') return dataset_id === null ? '/datasets' : `/datasets/${dataset_id}`;
  if (artifact_id === null) return '/jobs';
  const [artifact] = await tx
    .select({ job_id: modelArtifacts.job_id })
    .from(modelArtifacts)
    .where(eq(modelArtifacts.id, artifact_id));
  return artifact === undefined ? '/jobs' : `/jobs/${artifact.job_id}`;
}
