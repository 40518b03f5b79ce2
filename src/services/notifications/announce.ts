import { notifications } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';
import { NOTICES, type NotificationType } from '#/domain/notifications.ts';

/** Something that happened to what a person has. */
export interface Announcement {
  user_id: string;
  type: NotificationType;
  /** One sentence: what it is about, and of a failure its reason. */
  message: string;
  /** The page that shows it. */
  action_url: string;
  /** The ids of what it is about, e.g. `{ job_id }`. */
  metadata: Record<string, unknown>;
}

/**
 * Tells a person what happened. The one writer of notifications: called in the transaction in which the thing itself happens,
 * so that both stand or neither does.
 */
export async function announce(tx: Tx, announcement: Announcement): Promise<void> {
  await tx.insert(notifications).values({ ...announcement, ...NOTICES[announcement.type] });
}
