import { and, eq, inArray, isNotNull, isNull, lt, notExists, or, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { modelArtifacts, trainingJobs } from '#/db/schema/jobs.ts';
import { sampleImages } from '#/db/schema/samples.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { storage } from '#/storage/connect-storage.ts';
import { SHARED_OWNER, type StoredResource } from '#/storage/storage.ts';

/** What was deleted can be restored for this long. */
const KEPT_DAYS = 30;
/** What no row names may still get one: publishing and recording are two steps. */
const UNNAMED_MS = 24 * 3_600_000;
const AT_ONCE = 500;

/** How much a collection removed. */
export interface Collected {
  /** Uploads whose process ended in their midst. */
  uploads: number;
  /** Resources that were deleted long enough ago, and pictures of deleted jobs. */
  deleted: number;
  /** Rows that nothing names any more. */
  rows: number;
  /** Stored resources without a row. */
  unnamed: number;
  staged: number;
  /** Said when files were left alone because this database knows none of them. */
  strange: boolean;
}

interface Resource {
  owner: string;
  id: string;
}

/** Removes what nobody can reach any more. Safe to run in several processes and to break off anywhere. */
export async function collectGarbage(): Promise<Collected> {
  const uploads = await endDeadUploads();
  const deleted = [...(await purgeDeleted()), ...(await forgetDrawn())];
  for (const resource of [...uploads, ...deleted]) await storage().remove(resource.owner, resource.id);
  const rows = await removeRows();
  const { removed, strange } = await removeUnnamed();
  const staged = await storage().collectStaging(UNNAMED_MS);
  return { uploads: uploads.length, deleted: deleted.length, rows, unnamed: removed, staged, strange };
}

/** Marks uploads whose process is gone; their reservation ends with it. */
function endDeadUploads(): Promise<Resource[]> {
  return asScheduler((tx) =>
    tx
      .update(datasets)
      .set({ status: 'error', deleted_at: sql`now()`, purged_at: sql`now()`, storage_path: null, lease_until: null })
      .where(and(eq(datasets.status, 'uploading'), lt(datasets.lease_until, sql`clock_timestamp()`)))
      .returning({ owner: datasets.user_id, id: datasets.id }),
  );
}

/** The pictures of deleted jobs: nobody takes that back, so their rows go at once. */
function forgetDrawn(): Promise<Resource[]> {
  return asScheduler(async (tx) => {
    const deleted = tx.select({ id: trainingJobs.id }).from(trainingJobs).where(isNotNull(trainingJobs.deleted_at));
    const rows = await tx
      .delete(sampleImages)
      .where(inArray(sampleImages.job_id, deleted))
      .returning({ owner: sampleImages.user_id, id: sampleImages.job_id });
    return [...new Map(rows.map((row) => [row.id, row])).values()];
  });
}

const longAgo = sql`clock_timestamp() - make_interval(days => ${KEPT_DAYS})`;

/** Marks what was deleted long ago as gone, before its files are: a crash between the two is made up by the next round. */
function purgeDeleted(): Promise<Resource[]> {
  return asScheduler(async (tx) => {
    const gone_datasets = await tx
      .update(datasets)
      .set({ purged_at: sql`now()` })
      .where(and(lt(datasets.deleted_at, longAgo), isNull(datasets.purged_at)))
      .returning({ owner: datasets.user_id, id: datasets.id });
    const gone_artifacts = await tx
      .update(modelArtifacts)
      .set({ purged_at: sql`now()` })
      .where(and(lt(modelArtifacts.deleted_at, longAgo), isNull(modelArtifacts.purged_at)))
      .returning({ owner: modelArtifacts.user_id, id: modelArtifacts.id });
    const gone_models = await tx
      .update(baseModels)
      .set({ purged_at: sql`now()` })
      .where(and(lt(baseModels.deleted_at, longAgo), isNull(baseModels.purged_at), isNull(baseModels.local_path)))
      .returning({ id: baseModels.id });
    return [...gone_datasets, ...gone_artifacts, ...gone_models.map(({ id }) => ({ owner: SHARED_OWNER, id }))];
  });
}

/** Rows of what is gone go, too, where no job names them. */
function removeRows(): Promise<number> {
  return asScheduler(async (tx) => {
    const jobsOf = (
      column: typeof trainingJobs.dataset_id | typeof trainingJobs.base_model_id,
      id: typeof datasets.id | typeof baseModels.id,
    ) => notExists(tx.select({ one: sql`1` }).from(trainingJobs).where(eq(column, id)));
    const gone_datasets = await tx
      .delete(datasets)
      .where(and(lt(datasets.deleted_at, longAgo), isNotNull(datasets.purged_at), jobsOf(trainingJobs.dataset_id, datasets.id)))
      .returning({ id: datasets.id });
    const gone_models = await tx
      .delete(baseModels)
      .where(
        and(
          lt(baseModels.deleted_at, longAgo),
          or(isNotNull(baseModels.purged_at), isNotNull(baseModels.local_path)),
          jobsOf(trainingJobs.base_model_id, baseModels.id),
        ),
      )
      .returning({ id: baseModels.id });
    return gone_datasets.length + gone_models.length;
  });
}

/** Removes stored resources that no row names: of users who are gone, and of publishers who ended before they recorded. */
async function removeUnnamed(): Promise<{ removed: number; strange: boolean }> {
  const unnamed: StoredResource[] = [];
  let known = 0;
  let batch: StoredResource[] = [];
  const judge = async () => {
    const named = await namedIds(batch.map((resource) => resource.resource_id));
    for (const resource of batch) {
      if (named.has(resource.resource_id)) known++;
      else if (Date.now() - resource.modified_at.getTime() > UNNAMED_MS) unnamed.push(resource);
    }
    batch = [];
  };
  for await (const resource of storage().resources()) {
    batch.push(resource);
    if (batch.length === AT_ONCE) await judge();
  }
  if (batch.length > 0) await judge();
  // A database that knows not one file is rather another installation's than a house that everybody has left.
  if (known === 0 && unnamed.length > 0) return { removed: 0, strange: true };
  for (const resource of unnamed) await storage().remove(resource.owner, resource.resource_id);
  return { removed: unnamed.length, strange: false };
}

function namedIds(ids: string[]): Promise<Set<string>> {
  return asScheduler(async (tx) => {
    const named = [
      ...(await tx
        .select({ id: datasets.id })
        .from(datasets)
        .where(and(inArray(datasets.id, ids), isNull(datasets.purged_at)))),
      ...(await tx
        .select({ id: modelArtifacts.id })
        .from(modelArtifacts)
        .where(and(inArray(modelArtifacts.id, ids), isNull(modelArtifacts.purged_at)))),
      ...(await tx
        .select({ id: baseModels.id })
        .from(baseModels)
        .where(and(inArray(baseModels.id, ids), isNull(baseModels.purged_at)))),
      ...(await tx.selectDistinct({ id: sampleImages.job_id }).from(sampleImages).where(inArray(sampleImages.job_id, ids))),
    ];
    return new Set(named.map((row) => row.id));
  });
}
