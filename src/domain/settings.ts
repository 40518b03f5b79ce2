import * as z from 'zod';
import { QuietHours } from './quiet-hours.ts';
import { RunLimits } from './run-limits.ts';

/** More at once than this is no limit: each is a row that a claim looks through. */
export const ACTIVE_JOBS_LIMIT_MAX = 100;

/** How many jobs one person may have active at once. */
export const ActiveJobsMax = z.int().min(1).max(ACTIVE_JOBS_LIMIT_MAX);

/** What an installation's administrators choose, by the key under which it is kept. */
export const InstallationSettings = z.strictObject({
  active_jobs_per_user: ActiveJobsMax,
  user_quota_gb: z.number().positive().max(1_000_000),
  default_base_model_id: z.uuid().nullable(),
  draining: z.boolean(),
  quiet_hours: QuietHours.nullable(),
  default_limits: RunLimits,
  limits_max: RunLimits,
});
export type InstallationSettings = z.infer<typeof InstallationSettings>;

/** What may be changed of them; null where the installation's own default shall count again. */
export const SettingChanges = InstallationSettings.extend({ user_quota_gb: InstallationSettings.shape.user_quota_gb.nullable() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must have at least one field to change');
export type SettingChanges = z.infer<typeof SettingChanges>;
