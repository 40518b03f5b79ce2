import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { excessesOf, grantedLimits, type RunLimits } from '#/domain/run-limits.ts';
import { chosenSettings } from '#/services/settings/read-settings.ts';

/** What a submission's runs are held to, whatever the settings say later. Throws `not_trainable` for what is above the maximum. */
export async function grantLimits(tx: Tx, asked: RunLimits): Promise<RunLimits> {
  const settings = await chosenSettings(tx);
  const details = excessesOf(asked, settings.limits_max).map(({ name, value, max }) => ({
    path: `limits.${name}`,
    message: `limits.${name} is ${value}, and a training of this installation may ask for at most ${max}: ask for no more, or an administrator raises limits_max in the settings`,
    code: 'above_maximum',
  }));
  const [first] = details;
  if (first !== undefined) throw new AppError('not_trainable', first.message, details);
  return grantedLimits(asked, settings);
}
