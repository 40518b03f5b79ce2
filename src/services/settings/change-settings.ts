import { sql } from 'drizzle-orm';
import { settings } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import type { InstallationSettings, SettingChanges } from '#/domain/settings.ts';
import type { Context } from '#/services/context.ts';
import { checkDefaultModel, refuseNarrowedDefault } from '#/services/models/check-default-model.ts';
import { fitSlots } from './fit-slots.ts';
import { checkAdministrator, chosenSettings } from './read-settings.ts';

/**
 * Changes what the installation decides for everybody, from now on: what runs goes on, above a lower limit too. Throws `forbidden`
 * (not an administrator) and, for a default base model that cannot be trained, `not_found`, `base_model_not_ready` and
 * `not_trainable`, and `conflict` for one that is narrowed to a project.
 */
export async function changeSettings(ctx: Context, changes: SettingChanges): Promise<InstallationSettings> {
  checkAdministrator(ctx);
  if (changes.default_base_model_id != null) await checkDefaultModel(ctx, changes.default_base_model_id);
  return asIdentity(async (tx) => {
    if (changes.default_base_model_id != null)
      await refuseNarrowedDefault(tx, changes.default_base_model_id, ctx, 'installation');
    for (const [key, value] of Object.entries(changes)) await keep(tx, key, value);
    if (changes.active_jobs_per_user !== undefined) await fitSlots(tx, changes.active_jobs_per_user);
    return chosenSettings(tx);
  });
}

async function keep(tx: Tx, key: string, value: unknown): Promise<void> {
  // As text: null is a value of JSON here, and none of SQL.
  const json = sql`${JSON.stringify(value)}::jsonb`;
  const set = { value: json, updated_at: sql`clock_timestamp()` };
  await tx.insert(settings).values({ key, value: json }).onConflictDoUpdate({ target: settings.key, set });
}
