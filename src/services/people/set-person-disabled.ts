import { eq, sql } from 'drizzle-orm';
import { sessions, users } from '#/db/schema/identity.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { MEMBER_COLUMNS, type Member } from './list-people.ts';

/**
 * Locks a person out, or lets them in again: their sessions end, and no key or access token of theirs is taken meanwhile. What
 * they have stays. Throws `forbidden` (not an administrator), `conflict` (oneself) and `not_found`.
 */
export function setPersonDisabled(ctx: Context, id: string, disabled: boolean): Promise<Member> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators lock people out');
  if (id === ctx.user_id) throw new AppError('conflict', 'You cannot lock yourself out: another administrator can');
  return asIdentity(async (tx) => {
    const [person] = await tx
      .update(users)
      .set({ disabled_at: disabled ? sql`coalesce(${users.disabled_at}, clock_timestamp())` : null })
      .where(eq(users.id, id))
      .returning(MEMBER_COLUMNS);
    if (person === undefined) throw new AppError('not_found', 'There is no such person');
    await tx.delete(sessions).where(eq(sessions.user_id, id));
    return person;
  });
}
