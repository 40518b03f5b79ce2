import { eq } from 'drizzle-orm';
import { trainingImages } from '#/db/schema/training-images.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { AppError, type AppErrorCode } from '#/domain/app-error.ts';
import { type AskedOfTrainer, type TrainerHello, whatItLacks } from '#/domain/trainer-hello.ts';
import { UNCHECKED } from '#/domain/training-images.ts';

const refuse = (code: AppErrorCode, message: string) =>
  new AppError(code, message, [{ path: 'training_image_id', message, code }]);

const without = 'leave training_image_id out, and the trainer that comes along is used';

/**
 * Whether a training may name this image, by what its trainer said of itself; `asked` is null while that is not known. Throws `not_found`, `training_image_not_ready` and
 * `not_trainable`, each with the way out.
 */
export async function refuseImage(tx: Tx, id: string | null, asked: AskedOfTrainer | null): Promise<void> {
  if (id === null) return;
  const [image] = await tx.select().from(trainingImages).where(eq(trainingImages.id, id));
  if (image === undefined) throw refuse('not_found', `There is no such training image: ${without}`);
  const { name, status, hello } = image;
  if (status !== 'ready' || hello === null) {
    const reason = image.status_reason?.message ?? UNCHECKED;
    const way = status === 'error' ? `name another, or ${without}` : 'try again when it is ready';
    throw refuse('training_image_not_ready', `Training image ${name} is not ready: ${reason}; ${way}`);
  }
  const lack = asked === null ? null : whatItLacks(hello, asked);
  if (lack !== null) throw refuse('not_trainable', `Training image ${name} cannot do this training. ${lack}`);
}

export interface RunImageRow {
  name: string;
  reference: string;
  digest: string;
  hello: TrainerHello;
}

/** The image that a run is to be made of; null when it is off the list by now, or was found no good. */
export async function readRunImage(id: string): Promise<RunImageRow | null> {
  const [image] = await asScheduler((tx) => tx.select().from(trainingImages).where(eq(trainingImages.id, id)));
  if (image === undefined) return null;
  const { name, reference, status, digest, hello } = image;
  return status === 'error' || digest === null || hello === null ? null : { name, reference, digest, hello };
}
