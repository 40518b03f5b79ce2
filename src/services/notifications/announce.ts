import { notifications } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';
import { NOTICES, type NotificationType } from '#/domain/notifications.ts';
import { webhookEventOf } from '#/domain/webhooks.ts';
import { queueDeliveries } from '#/services/webhooks/queue-delivery.ts';

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
  /** What a receiver of webhooks is told beside the ids: facts of the API's own names, never a path or a secret. */
  data: Record<string, unknown>;
}

/**
 * Tells a person what happened, and the receivers of their webhooks. The one writer of notifications: called in the transaction
 * in which the thing itself happens, so that all of it stands or nothing does.
 */
export async function announce(tx: Tx, { data, ...notice }: Announcement): Promise<void> {
  await tx.insert(notifications).values({ ...notice, ...NOTICES[notice.type] });
  await queueDeliveries(tx, notice.user_id, webhookEventOf(notice.type), { ...notice.metadata, ...data });
}
