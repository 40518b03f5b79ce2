import { asc, count, eq } from 'drizzle-orm';
import { users } from '#/db/schema/identity.ts';
import { userQueues } from '#/db/schema/jobs.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import type { Person } from './person.ts';

/** A person as administrators see them. */
export interface Member extends Person {
  /** When an administrator locked them out. */
  disabled_at: Date | null;
  /** How many of their jobs may be active at once; null: as many as the installation says. */
  active_jobs_max: number | null;
}

/** People with what administrators decided about them. */
export function selectMembers(tx: Tx) {
  return tx
    .select({
      id: users.id,
      name: users.name,
      email: users.email,
      role: users.role,
      created_at: users.created_at,
      disabled_at: users.disabled_at,
      active_jobs_max: userQueues.own_active_max,
    })
    .from(users)
    .leftJoin(userQueues, eq(userQueues.user_id, users.id))
    .$dynamic();
}

/** One page of everybody in this studio, in the order in which they came. Throws `forbidden` (not an administrator). */
export function listPeople(ctx: Context, page: { limit: number; offset: number }): Promise<{ people: Member[]; total: number }> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see who is in this studio');
  return asIdentity(async (tx) => {
    const people = await selectMembers(tx).orderBy(asc(users.created_at), asc(users.id)).limit(page.limit).offset(page.offset);
    const [counted] = await tx.select({ total: count() }).from(users);
    return { people, total: counted?.total ?? 0 };
  });
}
