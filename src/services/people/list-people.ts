import { asc, count } from 'drizzle-orm';
import { users } from '#/db/schema/identity.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import type { Person } from './person.ts';

/** A person as administrators see them. */
export interface Member extends Person {
  /** When an administrator locked them out. */
  disabled_at: Date | null;
}

export const MEMBER_COLUMNS = {
  id: users.id,
  name: users.name,
  email: users.email,
  role: users.role,
  created_at: users.created_at,
  disabled_at: users.disabled_at,
};

/** One page of everybody in this studio, in the order in which they came. Throws `forbidden` (not an administrator). */
export function listPeople(ctx: Context, page: { limit: number; offset: number }): Promise<{ people: Member[]; total: number }> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see who is in this studio');
  return asIdentity(async (tx) => {
    const people = await tx
      .select(MEMBER_COLUMNS)
      .from(users)
      .orderBy(asc(users.created_at), asc(users.id))
      .limit(page.limit)
      .offset(page.offset);
    const [counted] = await tx.select({ total: count() }).from(users);
    return { people, total: counted?.total ?? 0 };
  });
}
