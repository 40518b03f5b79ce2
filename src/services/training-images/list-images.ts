import { asc, eq, sql } from 'drizzle-orm';
import { trainingImages } from '#/db/schema/training-images.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import type { ImageRow } from './image-row.ts';

/** What trainings may name, by name; administrators see the others of the list, too. It is never long (TRAINING_IMAGES_MAX). */
export function listImages(ctx: Context): Promise<ImageRow[]> {
  return asUser(ctx.user_id, (tx) =>
    tx
      .select()
      .from(trainingImages)
      .where(ctx.role === 'administrator' ? undefined : eq(trainingImages.status, 'ready'))
      .orderBy(asc(sql`lower(${trainingImages.name})`)),
  );
}
