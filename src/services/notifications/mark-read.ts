import { and, eq, sql } from 'drizzle-orm';
import { notifications } from '#/db/schema/machine.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import type { NotificationRow } from './list-notifications.ts';

/** Marks one of the caller's notifications as read, however often it is asked. Throws `not_found`. */
export function markRead(ctx: Context, id: string): Promise<NotificationRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [marked] = await tx.update(notifications).set({ read: true }).where(eq(notifications.id, id)).returning();
    if (marked === undefined) throw new AppError('not_found', 'There is no such notification');
    return marked;
  });
}

/** Marks all of the caller's notifications as read, and answers how many were not. */
export function markAllRead(ctx: Context): Promise<number> {
  return asUser(ctx.user_id, async (tx) => {
    const unread = and(eq(notifications.user_id, ctx.user_id), sql`not ${notifications.read}`);
    const marked = await tx.update(notifications).set({ read: true }).where(unread);
    return marked.rowCount ?? 0;
  });
}
