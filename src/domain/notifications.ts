/** What people are told of, in whose words and how loudly: the database, the API and the events of webhooks derive from this list. */

export const NOTIFICATION_TYPES = [
  'job_queued',
  'job_started',
  'job_completed',
  'job_failed',
  'job_cancelled',
  'transfer_completed',
  'transfer_failed',
  'dataset_ready',
  'dataset_error',
] as const;
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/** low: one's own doing, or on its way; normal: something is there; high: something is to be done. */
export const NOTIFICATION_PRIORITIES = ['low', 'normal', 'high'] as const;
export type NotificationPriority = (typeof NOTIFICATION_PRIORITIES)[number];

export const NOTICES: Record<NotificationType, { title: string; priority: NotificationPriority }> = {
  job_queued: { title: 'Training queued', priority: 'low' },
  job_started: { title: 'Training started', priority: 'low' },
  job_completed: { title: 'Training completed', priority: 'normal' },
  job_failed: { title: 'Training failed', priority: 'high' },
  job_cancelled: { title: 'Training cancelled', priority: 'low' },
  transfer_completed: { title: 'Transfer completed', priority: 'normal' },
  transfer_failed: { title: 'Transfer failed', priority: 'high' },
  dataset_ready: { title: 'Dataset ready', priority: 'normal' },
  dataset_error: { title: 'Dataset cannot be used', priority: 'high' },
};
