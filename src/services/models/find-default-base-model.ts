import { and, eq, inArray, isNull } from 'drizzle-orm';
import * as z from 'zod';
import { baseModels } from '#/db/schema/base-models.ts';
import { userQueues } from '#/db/schema/jobs.ts';
import { settings } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';

/**
 * The base model for a submission of somebody's that names none: their own choice, else the installation's, else the only one
 * of text that can be trained, else null. A choice that has been deleted since counts for nothing.
 */
export async function findDefaultBaseModel(tx: Tx, user_id: string): Promise<string | null> {
  const [own] = await tx.select({ id: userQueues.default_base_model_id }).from(userQueues).where(eq(userQueues.user_id, user_id));
  const [chosen] = await tx.select({ value: settings.value }).from(settings).where(eq(settings.key, 'default_base_model_id'));
  const wanted = [own?.id, chosen?.value].flatMap((id) => z.uuid().safeParse(id).data ?? []);
  const there =
    wanted.length === 0
      ? []
      : await tx
          .select({ id: baseModels.id })
          .from(baseModels)
          .where(and(inArray(baseModels.id, wanted), isNull(baseModels.deleted_at)));
  const first = wanted.find((id) => there.some((model) => model.id === id));
  if (first !== undefined) return first;
  const trainable = await tx
    .select({ id: baseModels.id })
    .from(baseModels)
    .where(
      and(
        eq(baseModels.status, 'ready'),
        eq(baseModels.trainable, true),
        // Submissions that name none are of text; an image model is always named.
        eq(baseModels.modality, 'text'),
        isNull(baseModels.deleted_at),
      ),
    )
    .limit(2);
  return trainable.length === 1 ? (trainable[0]?.id ?? null) : null;
}
