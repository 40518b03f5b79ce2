import { type SQL, sql } from 'drizzle-orm';
import { activities } from '#/db/schema/activities.ts';
import type { Tx } from '#/db/tenancy.ts';
import { ACTIVITY_SOURCES, ACTIVITY_TITLES, type ActivityType, type EntityType } from '#/domain/activity.ts';

/** Something that happened to a thing of one user. */
export interface Happening {
  user_id: string;
  event_type: ActivityType;
  entity_type: EntityType;
  entity_id: string;
  message: string;
  /** Of the thing, as it is now. */
  status: string | null;
  project_id?: string | null | SQL;
  metadata?: Record<string, unknown>;
}

/** Writes what happened into the feed, in the transaction in which it happens. */
export async function recordActivity(tx: Tx, { metadata, project_id, ...happening }: Happening): Promise<void> {
  await tx.insert(activities).values({
    ...happening,
    // A project is known by the thing, or by a query for it.
    project_id: (project_id ?? null) as string | null,
    title: ACTIVITY_TITLES[happening.event_type],
    metadata: { ...metadata, source: ACTIVITY_SOURCES.system },
  });
}

/** The project that a job belongs to: its dataset's. */
export const projectOfJob = (job_id: string): SQL =>
  sql`(SELECT d.project_id FROM lowrank.training_jobs j JOIN lowrank.datasets d ON d.id = j.dataset_id WHERE j.id = ${job_id})`;
