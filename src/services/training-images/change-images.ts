import { eq, sql } from 'drizzle-orm';
import { trainingImages } from '#/db/schema/training-images.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type AskedTrainingImage, TRAINING_IMAGES_MAX } from '#/domain/training-images.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { findImage, type ImageRow } from './image-row.ts';

/** One change at a time: whether a name is free is for the whole table to say. Throws `forbidden` (not an administrator). */
async function changing<T>(ctx: Context, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators say what trainings may run in');
  return asIdentity(async (tx) => {
    await tx.execute(sql`LOCK TABLE ${trainingImages} IN SHARE ROW EXCLUSIVE MODE`);
    return work(tx);
  });
}

/** Lists an image, to be checked by a worker. Throws `forbidden`, and `conflict` (its name is taken, the list is full). */
export function addImage(ctx: Context, asked: AskedTrainingImage, hooks: CreationHooks = {}): Promise<ImageRow> {
  return changing(ctx, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return findImage(tx, known);
    const names = await tx.select({ name: trainingImages.name }).from(trainingImages);
    if (names.some(({ name }) => name.toLowerCase() === asked.name.toLowerCase())) {
      throw new AppError('conflict', `${asked.name} names a training image already: choose another name, or remove that one`);
    }
    if (names.length >= TRAINING_IMAGES_MAX) {
      throw new AppError('conflict', `The list takes ${TRAINING_IMAGES_MAX} training images: remove one first`);
    }
    const [made] = await tx
      .insert(trainingImages)
      .values({ ...asked, created_by: ctx.user_id })
      .returning();
    if (made === undefined) throw new Error('the insert of a training image returned no row');
    await hooks.after?.(tx, made.id);
    return made;
  });
}

/**
 * Has an image checked anew: its reference may name another by now. Until that is done no new training may name it. Throws
 * `forbidden` and `not_found`.
 */
export function recheckImage(ctx: Context, id: string): Promise<ImageRow> {
  return changing(ctx, async (tx) => {
    await findImage(tx, id);
    const anew = { status: 'checking' as const, status_reason: null, lease_until: null, attempts: 0 };
    // A check that is under way was of the image as it was: its number no longer counts.
    await tx
      .update(trainingImages)
      .set({ ...anew, claim: sql`claim + 1` })
      .where(eq(trainingImages.id, id));
    return findImage(tx, id);
  });
}

/** Takes an image off the list; a training that names it and has not begun fails when it would. Throws `forbidden` and `not_found`. */
export function removeImage(ctx: Context, id: string): Promise<void> {
  return changing(ctx, async (tx) => {
    await findImage(tx, id);
    await tx.delete(trainingImages).where(eq(trainingImages.id, id));
  });
}
