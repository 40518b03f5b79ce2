import { and, eq } from 'drizzle-orm';
import { activities } from '#/db/schema/activities.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { type ActivityFilter, type ActivityRow, wantedActivities } from './list-activities.ts';

/** Marks one activity of the caller's as read. Throws `not_found`. */
export function markRead(ctx: Context, id: string): Promise<ActivityRow> {
  return asUser(ctx.user_id, async (tx) => {
    const [activity] = await tx
      .update(activities)
      .set({ read: true })
      .where(and(eq(activities.id, id), eq(activities.user_id, ctx.user_id)))
      .returning();
    if (activity === undefined) throw new AppError('not_found', 'There is no such activity');
    return activity;
  });
}

/** Marks everything of the caller's that is not read, and answers how many that were. */
export function markAllRead(ctx: Context, filter: Pick<ActivityFilter, 'project_id'>): Promise<number> {
  return asUser(ctx.user_id, async (tx) => {
    const marked = await tx
      .update(activities)
      .set({ read: true })
      .where(wantedActivities(ctx, { ...filter, unread_only: true }));
    return marked.rowCount ?? 0;
  });
}
