import { buffer } from 'node:stream/consumers';
import { and, eq } from 'drizzle-orm';
import { datasetImages } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { storage } from '#/storage/connect-storage.ts';
import { findDataset, imageFiles } from './dataset-row.ts';

export interface Thumbnail {
  /** Of the image that it is made of. */
  sha256: string;
  bytes: number;
  /** WebP. */
  read(): Promise<Buffer>;
}

/** The thumbnail of one image of a dataset of the caller's. Throws `not_found`. */
export async function openThumbnail(ctx: Context, id: string, n: number): Promise<Thumbnail> {
  const { checksum, image } = await asUser(ctx.user_id, async (tx) => {
    const dataset = await findDataset(tx, ctx.user_id, id);
    const [found] = await tx
      .select()
      .from(datasetImages)
      .where(and(eq(datasetImages.user_id, ctx.user_id), eq(datasetImages.dataset_id, id), eq(datasetImages.n, n)));
    return { checksum: dataset.checksum, image: found };
  });
  if (image === undefined || checksum === null) throw new AppError('not_found', 'The dataset has no image of this number');
  const { sha256, thumbnail_offset: first, thumbnail_length: bytes } = image;
  return {
    sha256,
    bytes,
    async read() {
      const range = { first, last: first + bytes - 1 };
      const { stream } = await storage().open(ctx.user_id, id, imageFiles(checksum).thumbnails, range);
      return buffer(stream);
    },
  };
}
