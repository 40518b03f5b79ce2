import { and, eq, isNotNull, min } from 'drizzle-orm';
import { datasetImages } from '#/db/schema/datasets.ts';
import type { Tx } from '#/db/tenancy.ts';
import type { DatasetRow } from './dataset-row.ts';

/** The first different captions of a dataset's images, those of the class aside; none of a dataset of text. */
export async function firstCaptions(tx: Tx, { id, user_id, modality }: DatasetRow, limit: number): Promise<string[]> {
  if (modality !== 'image') return [];
  const { caption, is_class, n } = datasetImages;
  const rows = await tx
    .select({ caption })
    .from(datasetImages)
    .where(and(eq(datasetImages.user_id, user_id), eq(datasetImages.dataset_id, id), eq(is_class, false), isNotNull(caption)))
    .groupBy(caption)
    .orderBy(min(n))
    .limit(limit);
  return rows.flatMap((row) => row.caption ?? []);
}
