import { eq, sql } from 'drizzle-orm';
import { sessions, users } from '#/db/schema/identity.ts';
import { userQueues } from '#/db/schema/jobs.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { fitSlots } from '#/services/settings/fit-slots.ts';
import { chosenSettings } from '#/services/settings/read-settings.ts';
import { lockAdministrators, refuseFormerAdministrator } from './administrators.ts';
import { type Member, selectMembers } from './list-people.ts';

/** What an administrator decides about a person. */
export interface PersonChanges {
  /** Locked out: no session, key or access token of theirs is taken. What they have stays. */
  disabled?: boolean | undefined;
  /** How many of their jobs may be active at once; null: as many as the installation says. */
  active_jobs_max?: number | null | undefined;
}

/**
 * Locks a person out or lets them in again, and says how many jobs of theirs run at once; whatever runs goes on. Who does so is an
 * administrator still, so that one of two who lock each other out stays. Throws `forbidden` (not an administrator), `conflict` (locking oneself
 * out) and `not_found`.
 */
export function changePerson(ctx: Context, id: string, { disabled, active_jobs_max }: PersonChanges): Promise<Member> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators decide about people');
  if (disabled !== undefined && id === ctx.user_id)
    throw new AppError('conflict', 'You cannot lock yourself out: another administrator can');
  return asIdentity(async (tx) => {
    await lockAdministrators(tx);
    await refuseFormerAdministrator(tx, ctx.user_id);
    if (disabled !== undefined) {
      const disabled_at = disabled ? sql`coalesce(${users.disabled_at}, clock_timestamp())` : null;
      await tx.update(users).set({ disabled_at }).where(eq(users.id, id));
      await tx.delete(sessions).where(eq(sessions.user_id, id));
    }
    if (active_jobs_max !== undefined) {
      await tx.update(userQueues).set({ own_active_max: active_jobs_max }).where(eq(userQueues.user_id, id));
      await fitSlots(tx, (await chosenSettings(tx)).active_jobs_per_user, id);
    }
    const [person] = await selectMembers(tx).where(eq(users.id, id));
    if (person === undefined) throw new AppError('not_found', 'There is no such person');
    return person;
  });
}
