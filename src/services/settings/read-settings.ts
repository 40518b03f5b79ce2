import { inArray } from 'drizzle-orm';
import { settings } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { GB } from '#/domain/bytes.ts';
import { ACTIVE_JOBS_PER_USER } from '#/domain/constants.ts';
import { InstallationSettings } from '#/domain/settings.ts';
import type { Context } from '#/services/context.ts';
import { storageLimits } from '#/storage/limits.ts';

/** What this installation's administrators chose, with what counts where they chose nothing. Throws `forbidden`. */
export function readSettings(ctx: Context): Promise<InstallationSettings> {
  checkAdministrator(ctx);
  return asIdentity(chosenSettings);
}

/** Throws `forbidden` for everybody but administrators. */
export function checkAdministrator(ctx: Context): void {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see and change the settings');
}

/** The settings as a transaction sees them. A value of another shape counts for nothing. */
export async function chosenSettings(tx: Tx): Promise<InstallationSettings> {
  const { shape } = InstallationSettings;
  const rows = await tx
    .select({ key: settings.key, value: settings.value })
    .from(settings)
    .where(inArray(settings.key, Object.keys(shape)));
  const chosen = (key: keyof InstallationSettings): unknown => rows.find((row) => row.key === key)?.value;
  return {
    active_jobs_per_user: shape.active_jobs_per_user.catch(ACTIVE_JOBS_PER_USER).parse(chosen('active_jobs_per_user')),
    user_quota_gb: shape.user_quota_gb.catch(storageLimits().user_quota_bytes / GB).parse(chosen('user_quota_gb')),
    default_base_model_id: shape.default_base_model_id.catch(null).parse(chosen('default_base_model_id')),
    draining: shape.draining.catch(false).parse(chosen('draining')),
    quiet_hours: shape.quiet_hours.catch(null).parse(chosen('quiet_hours')),
    default_limits: shape.default_limits.catch({}).parse(chosen('default_limits')),
    limits_max: shape.limits_max.catch({}).parse(chosen('limits_max')),
  };
}
