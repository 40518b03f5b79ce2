import { and, desc, eq, isNotNull, isNull, ne } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import type { Tx } from '#/db/tenancy.ts';
import type { BaseModelRow } from './model-row.ts';
import type { HubWish } from './register-hub-model.ts';

/**
 * The folder of this machine that an administrator registered under the name of a Hub model: it stands for that model where
 * no revision is asked for, so that a studio without a way to the Hub has models by name, too. undefined: there is none.
 */
export async function findNamedFolder(tx: Tx, { hf_repo_id, revision }: HubWish): Promise<BaseModelRow | undefined> {
  if (revision !== 'main') return undefined;
  const [named] = await tx
    .select()
    .from(baseModels)
    .where(
      and(
        eq(baseModels.name, hf_repo_id),
        isNotNull(baseModels.local_path),
        isNull(baseModels.hf_repo_id),
        ne(baseModels.status, 'error'),
        isNull(baseModels.deleted_at),
      ),
    )
    .orderBy(baseModels.narrowed, desc(baseModels.created_at))
    .limit(1);
  return named;
}
