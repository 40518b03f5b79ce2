/** What happened, as the feed tells it: which events there are and what each is about. */

/** What people have, and their clients may tell of. */
export const CLIENT_ENTITY_TYPES = ['job', 'transfer', 'experiment', 'dataset', 'model'] as const;
export type ClientEntityType = (typeof CLIENT_ENTITY_TYPES)[number];

export const ENTITY_TYPES = [...CLIENT_ENTITY_TYPES, 'device'] as const;
export type EntityType = (typeof ENTITY_TYPES)[number];

/** Every event with the kinds of things that it is told of. */
export const ACTIVITY_ENTITIES = {
  job_created: ['job', 'experiment'],
  job_started: ['job', 'experiment'],
  job_completed: ['job', 'experiment'],
  job_failed: ['job', 'experiment'],
  job_cancelled: ['job', 'experiment'],
  transfer_started: ['transfer'],
  transfer_completed: ['transfer'],
  transfer_failed: ['transfer'],
  dataset_imported: ['dataset'],
  model_created: ['model'],
  /** told to the administrator who took it out of quarantine */
  device_released: ['device'],
} as const satisfies Record<string, readonly EntityType[]>;
export type ActivityType = keyof typeof ACTIVITY_ENTITIES;

export const ACTIVITY_TYPES = Object.keys(ACTIVITY_ENTITIES) as [ActivityType, ...ActivityType[]];

/** Whether an event can be told of such a thing. */
export function isToldOf(event_type: ActivityType, entity_type: EntityType): boolean {
  return (ACTIVITY_ENTITIES[event_type] as readonly EntityType[]).includes(entity_type);
}

/** Who wrote an activity: kept in its metadata. */
export const ACTIVITY_SOURCES = { system: 'system', client: 'client' } as const;

/** The title of an event that nobody gave one. */
export const ACTIVITY_TITLES: Record<ActivityType, string> = {
  job_created: 'Training submitted',
  job_started: 'Training started',
  job_completed: 'Training completed',
  job_failed: 'Training failed',
  job_cancelled: 'Training cancelled',
  transfer_started: 'Transfer started',
  transfer_completed: 'Transfer completed',
  transfer_failed: 'Transfer failed',
  dataset_imported: 'Dataset imported',
  model_created: 'Base model registered',
  device_released: 'Device released from quarantine',
};
