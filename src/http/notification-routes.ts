import {
  listNotificationsRoute,
  markAllNotificationsReadRoute,
  markNotificationReadRoute,
  type Notification,
} from '#/contract/notifications.ts';
import { listNotifications, type NotificationRow } from '#/services/notifications/list-notifications.ts';
import { markAllRead, markRead } from '#/services/notifications/mark-read.ts';
import type { RouteModule } from './api-env.ts';

const present = ({ user_id: _, created_at, ...row }: NotificationRow): Notification => ({
  ...row,
  created_at: created_at.toISOString(),
});

/** What people are told of what happened. */
export const notificationRoutes: RouteModule = (api) => {
  api.openapi(listNotificationsRoute, async (c) => {
    const query = c.req.valid('query');
    const { notifications, ...counts } = await listNotifications(c.var.ctx, query);
    return c.json({ notifications: notifications.map(present), ...counts, limit: query.limit, offset: query.offset }, 200);
  });
  api.openapi(markAllNotificationsReadRoute, async (c) => c.json({ marked_read: await markAllRead(c.var.ctx) }, 200));
  api.openapi(markNotificationReadRoute, async (c) => c.json(present(await markRead(c.var.ctx, c.req.valid('param').id)), 200));
};
