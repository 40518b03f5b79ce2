import { and, eq, inArray, isNull, notExists, or, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { modelArtifacts, trainingJobs, userQueues } from '#/db/schema/jobs.ts';
import { sampleImages } from '#/db/schema/samples.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { ACTIVE_JOB_STATUSES } from '#/domain/statuses.ts';
import { storage } from '#/storage/connect-storage.ts';

/** A person who is gone, and whose runs' folders may lie on some host. */
export interface Departed {
  user_id: string;
  job_ids: Set<string>;
}

/** People looked at in one round. */
const AT_ONCE = 20;

/**
 * Goes on with people who left: what of theirs runs is to end, and where nothing runs any more and no device is held, the person
 * goes with every row, and the files after the rows. A crash between the two leaves files without rows, which the collection of files removes.
 * Base models that nobody else ever trained on are deleted, narrowed ones in any case; others stay without an importer. Answers who is gone.
 */
export async function removeDepartures(): Promise<Departed[]> {
  const leaving = await asScheduler((tx) =>
    tx
      .select({ user_id: userQueues.user_id })
      .from(userQueues)
      .where(sql`${userQueues.leaving_at} IS NOT NULL`)
      .orderBy(userQueues.leaving_at)
      .limit(AT_ONCE),
  );
  const gone: Departed[] = [];
  for (const { user_id } of leaving) {
    const left = await asScheduler(async (tx) => {
      await endRuns(tx, user_id);
      const resource_ids = await resourcesOf(tx, user_id);
      const jobs = await tx.select({ id: trainingJobs.id }).from(trainingJobs).where(eq(trainingJobs.user_id, user_id));
      await deleteOwnModels(tx, user_id);
      const removed = await tx.execute<{ removed: boolean }>(sql`SELECT lowrank.remove_departed(${user_id}::uuid) AS removed`);
      return removed.rows[0]?.removed === true ? { resource_ids, job_ids: new Set(jobs.map(({ id }) => id)) } : null;
    });
    if (left === null) continue;
    for (const id of left.resource_ids) await storage().remove(user_id, id);
    gone.push({ user_id, job_ids: left.job_ids });
  }
  return gone;
}

/** The wish to end, where it was not had yet: their workers fulfil it. */
async function endRuns(tx: Tx, user_id: string): Promise<void> {
  const active = inArray(trainingJobs.status, [...ACTIVE_JOB_STATUSES]);
  await tx
    .update(trainingJobs)
    .set({ cancel_requested_at: sql`clock_timestamp()` })
    .where(and(eq(trainingJobs.user_id, user_id), active, isNull(trainingJobs.cancel_requested_at)));
}

async function resourcesOf(tx: Tx, user_id: string): Promise<string[]> {
  const of_datasets = await tx.select({ id: datasets.id }).from(datasets).where(eq(datasets.user_id, user_id));
  const of_artifacts = await tx.select({ id: modelArtifacts.id }).from(modelArtifacts).where(eq(modelArtifacts.user_id, user_id));
  const drawn = await tx.selectDistinct({ id: sampleImages.job_id }).from(sampleImages).where(eq(sampleImages.user_id, user_id));
  return [...of_datasets, ...of_artifacts, ...drawn].map(({ id }) => id);
}

async function deleteOwnModels(tx: Tx, user_id: string): Promise<void> {
  const others = tx
    .select({ one: sql`1` })
    .from(trainingJobs)
    .where(and(eq(trainingJobs.base_model_id, baseModels.id), sql`${trainingJobs.user_id} <> ${user_id}`));
  // Who stores a job on one of them at this moment is waited for: it may be somebody else's.
  const own = and(eq(baseModels.created_by, user_id), isNull(baseModels.deleted_at));
  await tx.select({ id: baseModels.id }).from(baseModels).where(own).orderBy(baseModels.id).for('update');
  await tx
    .update(baseModels)
    .set({ deleted_at: sql`clock_timestamp()` })
    .where(
      and(
        eq(baseModels.created_by, user_id),
        isNull(baseModels.deleted_at),
        or(eq(baseModels.narrowed, true), notExists(others)),
      ),
    );
}
