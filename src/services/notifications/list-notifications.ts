import { and, count, desc, eq, sql } from 'drizzle-orm';
import { notifications } from '#/db/schema/machine.ts';
import { asUser } from '#/db/tenancy.ts';
import type { NotificationType } from '#/domain/notifications.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';

export type NotificationRow = typeof notifications.$inferSelect;

export interface NotificationQuery extends PageQuery {
  unread_only: boolean;
  type?: NotificationType | undefined;
}

export interface NotificationPage extends Paged {
  notifications: NotificationRow[];
  /** How many of all are unread. */
  unread: number;
}

/** One page of the caller's notifications, newest first. Throws `invalid_request` (cursor). */
export function listNotifications(ctx: Context, query: NotificationQuery): Promise<NotificationPage> {
  return asUser(ctx.user_id, async (tx) => {
    const own = eq(notifications.user_id, ctx.user_id);
    // As the partial index says it: `read = false` would not use it.
    const is_unread = sql`not ${notifications.read}`;
    const wanted = and(
      own,
      query.unread_only ? is_unread : undefined,
      query.type === undefined ? undefined : eq(notifications.type, query.type),
    );
    const rows = await tx
      .select()
      .from(notifications)
      .where(and(wanted, await behindCursor(tx, notifications, query.after)))
      .orderBy(desc(notifications.created_at), desc(notifications.id))
      .limit(oneMore(query))
      .offset(skipped(query));
    const [unread] = await tx.select({ total: count() }).from(notifications).where(and(own, is_unread));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    const total = await countRows(tx, ctx.user_id, notifications, wanted);
    return { notifications: found, ...total, unread: unread?.total ?? 0, next_cursor };
  });
}
