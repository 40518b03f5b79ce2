import {
  type Activity,
  createActivityRoute,
  listActivityRoute,
  readActivityRoute,
  readAllActivityRoute,
} from '#/contract/activity.ts';
import { createActivity } from '#/services/activities/create-activity.ts';
import { type ActivityRow, listActivities } from '#/services/activities/list-activities.ts';
import { markAllRead, markRead } from '#/services/activities/mark-read.ts';
import type { Context } from '#/services/context.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';
import { refusal } from './violations.ts';

const present = (row: ActivityRow): Activity => ({
  id: row.id,
  event_type: row.event_type,
  entity_type: row.entity_type,
  entity_id: row.entity_id,
  title: row.title,
  message: row.message,
  status: row.status,
  user_id: row.user_id,
  project_id: row.project_id,
  metadata: row.metadata,
  read: row.read,
  created_at: row.created_at.toISOString(),
});

/** A change of the feed is of one's own: who is named is oneself, or nobody. */
function refuseForeign(ctx: Context, user_id: string | undefined): void {
  if (user_id === undefined || user_id === ctx.user_id) return;
  throw refusal([{ path: 'user_id', message: 'must be your own id: leave it out', code: 'not_oneself' }]);
}

/** Door C's feed. */
export const activityRoutes: RouteModule = (api) => {
  api.openapi(listActivityRoute, async (c) => {
    const query = c.req.valid('query');
    const { activities, ...page } = await listActivities(c.var.ctx, query);
    const { limit, offset } = query;
    return c.json({ activities: activities.map(present), ...page, limit, offset }, 200);
  });
  api.openapi(createActivityRoute, (c) => {
    const { user_id, ...told } = c.req.valid('json');
    refuseForeign(c.var.ctx, user_id);
    return createOnce(c, {
      route: 'POST /api/activity',
      request: () => told,
      make: (hooks) => createActivity(c.var.ctx, told, hooks),
      present,
    });
  });
  api.openapi(readAllActivityRoute, async (c) => {
    const { user_id, ...filter } = c.req.valid('json');
    refuseForeign(c.var.ctx, user_id);
    const marked_read = await markAllRead(c.var.ctx, filter);
    return c.json({ marked_read }, 200);
  });
  api.openapi(readActivityRoute, async (c) => c.json(present(await markRead(c.var.ctx, c.req.valid('param').id)), 200));
};
