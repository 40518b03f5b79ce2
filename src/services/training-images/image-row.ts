import { eq } from 'drizzle-orm';
import { trainingImages } from '#/db/schema/training-images.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

export type ImageRow = typeof trainingImages.$inferSelect;

/** One image of the list. Throws `not_found`. */
export async function findImage(tx: Tx, id: string): Promise<ImageRow> {
  const [row] = await tx.select().from(trainingImages).where(eq(trainingImages.id, id));
  if (row === undefined) throw new AppError('not_found', 'There is no such training image');
  return row;
}
