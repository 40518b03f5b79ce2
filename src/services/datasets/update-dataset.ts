import { eq, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { DatasetFormat } from '#/domain/dataset-options.ts';
import { type Metadata, mergeMetadata } from '#/domain/labels.ts';
import type { ColumnMapping } from '#/domain/trainer-config.ts';
import type { Context } from '#/services/context.ts';
import { findProject } from '#/services/projects/project-row.ts';
import { type DatasetRow, findDataset, refuseWhileNeeded } from './dataset-row.ts';

export interface DatasetChanges {
  name?: string | undefined;
  description?: string | undefined;
  format?: DatasetFormat | undefined;
  mapping?: ColumnMapping | undefined;
  invalid_rows?: 'refuse' | 'skip' | undefined;
  tags?: string[] | undefined;
  metadata?: Metadata | undefined;
  /** One of the caller's; null: none. */
  project_id?: string | null | undefined;
}

/** Images have no columns, and once they are written anew what was uploaded is gone. */
function refuseOfImages(dataset: DatasetRow, { format, mapping }: DatasetChanges): void {
  if (dataset.modality !== 'image') return;
  if (format !== undefined || mapping !== undefined)
    throw new AppError('conflict', `${dataset.name} holds pictures: they have no columns to be read another way`);
  if (dataset.received_checksum !== null)
    throw new AppError(
      'conflict',
      `The pictures of ${dataset.name} are checked, and what was uploaded is not kept: upload it again to have it read another way`,
    );
}

/**
 * Changes what is said about a dataset. Another format, mapping or rule for broken rows has the file checked again, so it
 * is refused (`conflict`) while a training needs the dataset or its file still arrives. Throws `not_found` (dataset, project).
 */
export function updateDataset(ctx: Context, id: string, changes: DatasetChanges): Promise<DatasetRow> {
  return asUser(ctx.user_id, async (tx) => {
    const dataset = await findDataset(tx, ctx.user_id, id, true);
    const checked_again = changes.format !== undefined || changes.mapping !== undefined || changes.invalid_rows !== undefined;
    if (checked_again) {
      if (dataset.status === 'uploading')
        throw new AppError('conflict', 'The file is still arriving: change this when it is there');
      refuseOfImages(dataset, changes);
      await refuseWhileNeeded(tx, dataset, 'read another way');
    }
    if (changes.project_id != null) await findProject(tx, changes.project_id);
    const metadata = mergeMetadata(dataset.metadata, {
      ...changes.metadata,
      ...(changes.format !== undefined && { requested_format: changes.format }),
    });
    const [changed] = await tx
      .update(datasets)
      .set({
        ...(changes.name !== undefined && { name: changes.name }),
        ...(changes.description !== undefined && { description: changes.description }),
        ...(changes.mapping !== undefined && { mapping: changes.mapping }),
        ...(changes.invalid_rows !== undefined && { invalid_rows: changes.invalid_rows }),
        ...(changes.tags !== undefined && { tags: changes.tags }),
        ...(changes.project_id !== undefined && { project_id: changes.project_id }),
        metadata,
        ...(checked_again && {
          status: 'validating' as const,
          version: dataset.version + 1,
          training_ready: false,
          validated_at: null,
          lease_until: null,
          claim: dataset.claim + 1,
          attempts: 0,
        }),
        updated_at: sql`now()`,
      })
      .where(eq(datasets.id, id))
      .returning();
    if (changed === undefined) throw new Error('the update of a locked dataset returned no row');
    return changed;
  });
}
