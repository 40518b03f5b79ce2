import { asc, eq } from 'drizzle-orm';
import { users } from '#/db/schema/identity.ts';
import { userQueues } from '#/db/schema/jobs.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
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

/** One page of everybody in this studio, in the order in which they came. Throws `forbidden` (not an administrator) and `invalid_request` (cursor). */
export function listPeople(ctx: Context, page: PageQuery): Promise<Paged & { people: Member[] }> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see who is in this studio');
  return asIdentity(async (tx) => {
    const rows = await selectMembers(tx)
      .where(await behindCursor(tx, users, page.after, { oldest: true }))
      .orderBy(asc(users.created_at), asc(users.id))
      .limit(oneMore(page))
      .offset(skipped(page));
    const { rows: people, next_cursor } = cutPage(rows, page.limit, ({ id }) => id);
    return { people, ...(await countRows(tx, ctx.user_id, users, undefined)), next_cursor };
  });
}
