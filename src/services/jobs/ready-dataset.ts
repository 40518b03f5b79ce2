import { and, eq, isNull, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError, type AppErrorCode } from '#/domain/app-error.ts';
import type { DatasetStatus } from '#/domain/statuses.ts';
import type { DatasetRow } from '#/services/datasets/dataset-row.ts';

/**
 * A dataset of the caller's that can be trained on, locked so that it stays until the commit. Throws `not_found`,
 * `forbidden` (only with `tells_foreign`: it is somebody else's), `dataset_not_ready` and `dataset_not_training_ready`.
 */
export async function readyDataset(tx: Tx, id: string, { tells_foreign = false } = {}): Promise<DatasetRow> {
  const [dataset] = await tx
    .select()
    .from(datasets)
    .where(and(eq(datasets.id, id), isNull(datasets.deleted_at)))
    .for('share');
  if (dataset === undefined) {
    if (tells_foreign && (await isSomebodys(tx, id))) {
      throw new AppError('forbidden', 'That dataset belongs to somebody else: use one of your own', [
        { path: 'dataset_id', message: 'belongs to somebody else', code: 'forbidden' },
      ]);
    }
    throw new AppError('not_found', 'There is no such dataset', [
      { path: 'dataset_id', message: 'no such dataset', code: 'not_found' },
    ]);
  }
  if (dataset.status !== 'ready') {
    const message = `is ${dataset.status}: ${WAY_OUT[dataset.status]}`;
    throw notReady('dataset_not_ready', dataset, message, `dataset_${dataset.status}`);
  }
  if ((dataset.total_training_pairs ?? 0) < 1) {
    throw notReady('dataset_not_training_ready', dataset, 'has no row to train on: see its report', 'no_training_rows');
  }
  if (!dataset.training_ready) {
    throw notReady('dataset_not_training_ready', dataset, 'cannot be trained on: see its report', 'not_training_ready');
  }
  return dataset;
}

const WAY_OUT = {
  uploading: 'wait until its file is there and checked',
  validating: 'wait until its check is done',
  error: 'see its report for what to mend',
} as const satisfies Record<Exclude<DatasetStatus, 'ready'>, string>;

/** The refusal of a dataset that is there; its row says which of the reasons it is. */
function notReady(code: AppErrorCode, dataset: DatasetRow, message: string, reason: string): AppError {
  return new AppError(code, `Dataset ${dataset.name} ${message}`, [{ path: 'dataset_id', message, code: reason }]);
}

/** Whether anybody has a dataset of this id: all that one user is ever told of another's. */
async function isSomebodys(tx: Tx, id: string): Promise<boolean> {
  const answer = await tx.execute<{ exists: boolean }>(sql`SELECT lowrank.dataset_exists(${id}) AS exists`);
  return answer.rows[0]?.exists === true;
}
