import { and, eq, isNull } from 'drizzle-orm';
import * as z from 'zod';
import { baseModels } from '#/db/schema/base-models.ts';
import { settings } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';

/** The base model for a submission that names none: the installation's choice, else the only one that can be trained, else null. */
export async function findDefaultBaseModel(tx: Tx): Promise<string | null> {
  const [chosen] = await tx.select({ value: settings.value }).from(settings).where(eq(settings.key, 'default_base_model_id'));
  const id = z
    .uuid()
    .nullable()
    .catch(null)
    .parse(chosen?.value ?? null);
  if (id !== null) return id;
  const trainable = await tx
    .select({ id: baseModels.id })
    .from(baseModels)
    .where(and(eq(baseModels.status, 'ready'), eq(baseModels.trainable, true), isNull(baseModels.deleted_at)))
    .limit(2);
  return trainable.length === 1 ? (trainable[0]?.id ?? null) : null;
}
