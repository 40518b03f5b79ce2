import { sql } from 'drizzle-orm';
import { settings } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { excessesOf } from '#/domain/run-limits.ts';
import type { InstallationSettings, SettingChanges } from '#/domain/settings.ts';
import type { Context } from '#/services/context.ts';
import { checkDefaultModel, refuseNarrowedDefault } from '#/services/models/check-default-model.ts';
import { fitSlots } from './fit-slots.ts';
import { checkAdministrator, chosenSettings } from './read-settings.ts';

/**
 * Changes what the installation decides for everybody, from now on: what runs goes on, above a lower limit too. Throws `forbidden`
 * (not an administrator), `invalid_request` (a time zone that the database does not know, a default limit above the maximum) and, for a default base model that cannot be trained, `not_found`, `base_model_not_ready` and
 * `not_trainable`, and `conflict` for one that is narrowed to a project.
 */
export async function changeSettings(ctx: Context, changes: SettingChanges): Promise<InstallationSettings> {
  checkAdministrator(ctx);
  if (changes.default_base_model_id != null) await checkDefaultModel(ctx, changes.default_base_model_id);
  return asIdentity(async (tx) => {
    if (changes.quiet_hours != null) await checkTimeZone(tx, changes.quiet_hours.time_zone);
    if (changes.default_base_model_id != null)
      await refuseNarrowedDefault(tx, changes.default_base_model_id, ctx, 'installation');
    for (const [key, value] of Object.entries(changes)) await keep(tx, key, value);
    if (changes.active_jobs_per_user !== undefined) await fitSlots(tx, changes.active_jobs_per_user);
    const chosen = await chosenSettings(tx);
    refuseDefaultsAboveMax(chosen);
    return chosen;
  });
}

/** Quiet hours are reckoned by the database's clock, in its own time zones. */
async function checkTimeZone(tx: Tx, name: string): Promise<void> {
  const { rowCount } = await tx.execute(sql`SELECT FROM pg_catalog.pg_timezone_names WHERE name = ${name}`);
  const message = 'must be a time zone by its IANA name, for example Europe/Berlin, that the database knows, too';
  if (rowCount === 0)
    throw new AppError('invalid_request', `quiet_hours.time_zone ${message}`, [
      { path: 'quiet_hours.time_zone', message, code: 'unknown' },
    ]);
}

function refuseDefaultsAboveMax({ default_limits, limits_max }: InstallationSettings): void {
  const details = excessesOf(default_limits, limits_max).map(({ name, value, max }) => ({
    path: `default_limits.${name}`,
    message: `must be at most limits_max.${name}, which is ${max}, and is ${value}: change both together`,
    code: 'above_maximum',
  }));
  const [first] = details;
  if (first !== undefined) throw new AppError('invalid_request', `${first.path} ${first.message}`, details);
}

async function keep(tx: Tx, key: string, value: unknown): Promise<void> {
  // As text: null is a value of JSON here, and none of SQL.
  const json = sql`${JSON.stringify(value)}::jsonb`;
  const set = { value: json, updated_at: sql`clock_timestamp()` };
  await tx.insert(settings).values({ key, value: json }).onConflictDoUpdate({ target: settings.key, set });
}
