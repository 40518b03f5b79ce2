import { and, desc, eq, sql } from 'drizzle-orm';
import { activities } from '#/db/schema/activities.ts';
import { asUser } from '#/db/tenancy.ts';
import type { ActivityType, EntityType } from '#/domain/activity.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';

export type ActivityRow = typeof activities.$inferSelect;

export interface ActivityFilter {
  event_type?: ActivityType | undefined;
  entity_type?: EntityType | undefined;
  /** Nobody sees another's: of anybody else there are none. */
  user_id?: string | undefined;
  project_id?: string | undefined;
  unread_only?: boolean | undefined;
}

/** Those of the caller's activities that a filter wants. */
export function wantedActivities(ctx: Context, filter: ActivityFilter) {
  return and(
    eq(activities.user_id, ctx.user_id),
    filter.user_id === undefined ? undefined : eq(activities.user_id, filter.user_id),
    filter.event_type === undefined ? undefined : eq(activities.event_type, filter.event_type),
    filter.entity_type === undefined ? undefined : eq(activities.entity_type, filter.entity_type),
    filter.project_id === undefined ? undefined : eq(activities.project_id, filter.project_id),
    // As the partial index says it: `read = false` would not use it.
    filter.unread_only === true ? sql`not ${activities.read}` : undefined,
  );
}

/** One page of the caller's feed, newest first. Throws `invalid_request` (cursor). */
export function listActivities(ctx: Context, query: ActivityFilter & PageQuery): Promise<Paged & { activities: ActivityRow[] }> {
  return asUser(ctx.user_id, async (tx) => {
    const wanted = wantedActivities(ctx, query);
    const rows = await tx
      .select()
      .from(activities)
      .where(and(wanted, await behindCursor(tx, activities, query.after)))
      .orderBy(desc(activities.created_at), desc(activities.id))
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    return { activities: found, ...(await countRows(tx, ctx.user_id, activities, wanted)), next_cursor };
  });
}
