import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import { activities } from '#/db/schema/activities.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { ACTIVITY_SOURCES, ACTIVITY_TITLES, type ActivityType, type ClientEntityType } from '#/domain/activity.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Metadata } from '#/domain/labels.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { findProject } from '#/services/projects/project-row.ts';
import type { ActivityRow } from './list-activities.ts';

/** What a client tells of a thing of its user's. */
export interface ToldActivity {
  event_type: ActivityType;
  entity_type: ClientEntityType;
  entity_id: string;
  title?: string | undefined;
  message?: string | undefined;
  status?: string | null | undefined;
  project_id?: string | null | undefined;
  metadata?: Metadata | undefined;
}

/**
 * Writes what a client tells into the caller's own feed. What the system wrote already of the same thing is answered
 * instead. Throws `not_found` for a thing or project that is not the caller's.
 */
export function createActivity(ctx: Context, told: ToldActivity, hooks: CreationHooks = {}): Promise<ActivityRow> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return findActivity(tx, known);
    if (!(await isOwn(tx, ctx.user_id, told))) {
      throw new AppError('not_found', `There is no such ${told.entity_type} of yours`, [
        { path: 'entity_id', message: `no such ${told.entity_type}`, code: 'not_found' },
      ]);
    }
    if (told.project_id != null) await findProject(tx, told.project_id);
    const activity = (await writtenBySystem(tx, told)) ?? (await write(tx, ctx, told));
    await hooks.after?.(tx, activity.id);
    return activity;
  });
}

async function findActivity(tx: Tx, id: string): Promise<ActivityRow> {
  const [row] = await tx.select().from(activities).where(eq(activities.id, id));
  if (row === undefined) throw new AppError('not_found', 'There is no such activity');
  return row;
}

/** Where a thing is looked for, and whose it must be: a model of the shared registry is its importer's. */
const OWNED: Record<ClientEntityType, SQL> = {
  job: sql`lowrank.training_jobs t WHERE t.user_id`,
  experiment: sql`lowrank.experiments t WHERE t.user_id`,
  dataset: sql`lowrank.datasets t WHERE t.user_id`,
  transfer: sql`lowrank.transfers t WHERE t.user_id`,
  model: sql`lowrank.base_models t WHERE t.created_by`,
};

async function isOwn(tx: Tx, user_id: string, { entity_type, entity_id }: ToldActivity): Promise<boolean> {
  const owned = OWNED[entity_type];
  const found = await tx.execute(sql`SELECT 1 FROM ${owned} = ${user_id} AND t.id = ${entity_id}`);
  return found.rowCount !== 0;
}

async function writtenBySystem(tx: Tx, { event_type, entity_type, entity_id }: ToldActivity): Promise<ActivityRow | undefined> {
  const [row] = await tx
    .select()
    .from(activities)
    .where(
      and(
        eq(activities.entity_id, entity_id),
        eq(activities.entity_type, entity_type),
        eq(activities.event_type, event_type),
        sql`${activities.metadata} ->> 'source' = ${ACTIVITY_SOURCES.system}`,
      ),
    )
    .orderBy(desc(activities.created_at))
    .limit(1);
  return row;
}

async function write(tx: Tx, ctx: Context, told: ToldActivity): Promise<ActivityRow> {
  const { event_type, entity_type, entity_id } = told;
  const [row] = await tx
    .insert(activities)
    .values({
      user_id: ctx.user_id,
      project_id: told.project_id ?? null,
      event_type,
      entity_type,
      entity_id,
      title: told.title ?? ACTIVITY_TITLES[event_type],
      message: told.message ?? '',
      status: told.status ?? null,
      metadata: { ...told.metadata, source: ACTIVITY_SOURCES.client },
    })
    .returning();
  if (row === undefined) throw new Error('the insert of an activity returned no row');
  return row;
}
