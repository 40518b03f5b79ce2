import { and, asc, count, eq, gt } from 'drizzle-orm';
import { datasetImages } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { cutPage, oneMore } from '#/services/page-cursor.ts';
import { findDataset } from './dataset-row.ts';

export type DatasetImageRow = typeof datasetImages.$inferSelect;

export interface DatasetImagesPage {
  images: DatasetImageRow[];
  total: number;
  /** The number of the last one, behind which the next page begins; null: there is none. */
  next_after: number | null;
}

/** One page of the images of a dataset of the caller's, in their order; none of one of text. Throws `not_found`. */
export function listImages(ctx: Context, id: string, page: { limit: number; after: number }): Promise<DatasetImagesPage> {
  return asUser(ctx.user_id, async (tx) => {
    await findDataset(tx, ctx.user_id, id);
    const of_dataset = and(eq(datasetImages.user_id, ctx.user_id), eq(datasetImages.dataset_id, id));
    const rows = await tx
      .select()
      .from(datasetImages)
      .where(and(of_dataset, gt(datasetImages.n, page.after)))
      .orderBy(asc(datasetImages.n))
      .limit(oneMore(page));
    const { rows: images, next_cursor } = cutPage(rows, page.limit, ({ n }) => n);
    const [counted] = await tx.select({ total: count() }).from(datasetImages).where(of_dataset);
    return { images, total: counted?.total ?? 0, next_after: next_cursor };
  });
}
