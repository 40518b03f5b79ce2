import { and, eq, inArray, isNull, notInArray } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { TERMINAL_JOB_STATUSES } from '#/domain/statuses.ts';

export type DatasetRow = typeof datasets.$inferSelect;

/** The name of an uploaded file in its dataset's folder of storage, whatever its owner calls it. */
export const DATASET_FILE = 'data';

/** The archive of images that a check wrote, and their thumbnails: named by its sum, so that no late check writes over another's. */
export const imageFiles = (checksum: string) => ({
  archive: `images-${checksum}.zip`,
  thumbnails: `thumbnails-${checksum}.bin`,
});

/** The name of the file that is trained on. Of images only what a check wrote is; until then it is what was uploaded. */
export function datasetFile({ checksum, received_checksum }: Pick<DatasetRow, 'checksum' | 'received_checksum'>): string {
  return checksum === null || received_checksum === null ? DATASET_FILE : imageFiles(checksum).archive;
}

export function noSuchDataset(): AppError {
  return new AppError('not_found', 'There is no such dataset');
}

/** One of the caller's datasets; with `lock` nobody else changes it, and no job can take it, until the transaction ends. */
export async function findDataset(tx: Tx, user_id: string, id: string, lock = false): Promise<DatasetRow> {
  const query = tx
    .select()
    .from(datasets)
    .where(and(eq(datasets.id, id), eq(datasets.user_id, user_id), isNull(datasets.deleted_at)));
  const [row] = lock ? await query.for('update') : await query;
  if (row === undefined) throw noSuchDataset();
  return row;
}

/** Throws `conflict` while a job that is not finished is going to read this dataset. Call it with the dataset locked. */
export async function refuseWhileNeeded(tx: Tx, dataset: DatasetRow, wish: string): Promise<void> {
  const needing = await tx
    .select({ name: trainingJobs.name })
    .from(trainingJobs)
    .where(and(inArray(trainingJobs.dataset_id, [dataset.id]), notInArray(trainingJobs.status, [...TERMINAL_JOB_STATUSES])))
    .limit(1);
  const [job] = needing;
  if (job !== undefined) {
    throw new AppError(
      'conflict',
      `${dataset.name} cannot be ${wish} while a training needs it (${job.name}): wait for its end or cancel it`,
    );
  }
}
