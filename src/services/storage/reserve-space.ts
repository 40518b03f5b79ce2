import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import * as z from 'zod';
import { baseModels } from '#/db/schema/base-models.ts';
import { datasets } from '#/db/schema/datasets.ts';
import { modelArtifacts, trainingJobs } from '#/db/schema/jobs.ts';
import { settings } from '#/db/schema/machine.ts';
import { sampleImages } from '#/db/schema/samples.ts';
import { transfers } from '#/db/schema/transfers.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { formatBytes, GB } from '#/domain/bytes.ts';
import { OPEN_TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { storage } from '#/storage/connect-storage.ts';
import { storageFull } from '#/storage/disk-error.ts';
import { storageLimits } from '#/storage/limits.ts';

/** What was deleted lies there for a month: all of it together may take this many quotas. */
const WITH_DELETED_FACTOR = 2;

/** Bytes of a user's files as their rows say; an upload or import under way counts with what it reserved. */
export interface StorageUsage {
  /** What the user still has. */
  bytes: number;
  /** The same with what was deleted and can still be restored. */
  bytes_with_deleted: number;
  quota_bytes: number;
}

/** How much of the quota a user has taken. */
export async function storageUsage(tx: Tx, user_id: string): Promise<StorageUsage> {
  const sums = (bytes: unknown, deleted: unknown) => ({
    live: sql<number>`coalesce(sum(${bytes}) filter (where ${deleted} is null), 0)`.mapWith(Number),
    all: sql<number>`coalesce(sum(${bytes}), 0)`.mapWith(Number),
  });
  const [dataset] = await tx
    .select(sums(datasets.file_size, datasets.deleted_at))
    .from(datasets)
    .where(and(eq(datasets.user_id, user_id), isNull(datasets.purged_at)));
  const [artifact] = await tx
    .select(sums(modelArtifacts.size, modelArtifacts.deleted_at))
    .from(modelArtifacts)
    .where(and(eq(modelArtifacts.user_id, user_id), isNull(modelArtifacts.purged_at)));
  const [model] = await tx
    .select(sums(baseModels.size_bytes, baseModels.deleted_at))
    .from(baseModels)
    .where(and(eq(baseModels.created_by, user_id), isNotNull(baseModels.hf_repo_id), isNull(baseModels.purged_at)));
  const [drawn] = await tx
    .select(sums(sampleImages.bytes, trainingJobs.deleted_at))
    .from(sampleImages)
    .innerJoin(trainingJobs, eq(trainingJobs.id, sampleImages.job_id))
    .where(and(eq(sampleImages.user_id, user_id), eq(sampleImages.status, 'kept')));
  const [coming] = await tx
    .select(sums(transfers.bytes_total, sql`null`))
    .from(transfers)
    .where(
      and(eq(transfers.user_id, user_id), eq(transfers.kind, 'dataset'), inArray(transfers.status, [...OPEN_TRANSFER_STATUSES])),
    );
  const parts = [dataset, artifact, model, drawn, coming];
  return {
    bytes: parts.reduce((sum, part) => sum + (part?.live ?? 0), 0),
    bytes_with_deleted: parts.reduce((sum, part) => sum + (part?.all ?? 0), 0),
    quota_bytes: await quotaBytes(tx),
  };
}

async function quotaBytes(tx: Tx): Promise<number> {
  const [chosen] = await tx.select({ value: settings.value }).from(settings).where(eq(settings.key, 'user_quota_gb'));
  const gb = z.number().positive().safeParse(chosen?.value);
  return gb.success ? Math.floor(gb.data * GB) : storageLimits().user_quota_bytes;
}

/** Until the end of the transaction nobody else takes of this user's quota: what `storageUsage` says stays true. */
export async function lockQuota(tx: Tx, user_id: string): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`quota:${user_id}`}, 0))`);
}

/**
 * Says how many bytes the caller may store: `wanted`, or what is left of the quota when `wanted` is null (length unknown),
 * at most `bytes_max`. The row that takes them must be written in the same transaction: until its end nobody else of this
 * user gets any. Throws `quota_exceeded`.
 */
export async function reserveQuota(tx: Tx, user_id: string, wanted: number | null, bytes_max: number): Promise<number> {
  await lockQuota(tx, user_id);
  const usage = await storageUsage(tx, user_id);
  const left = Math.min(usage.quota_bytes - usage.bytes, usage.quota_bytes * WITH_DELETED_FACTOR - usage.bytes_with_deleted);
  if (left < 1 || (wanted !== null && wanted > left)) throw quotaExceeded(usage, wanted);
  return Math.min(wanted ?? left, bytes_max);
}

export function quotaExceeded(usage: StorageUsage, wanted: number | null): AppError {
  const asked = wanted === null ? 'this file' : `${formatBytes(wanted)} more`;
  const trash = usage.bytes_with_deleted - usage.bytes;
  const deleted = trash > usage.bytes ? ` (and ${formatBytes(trash)} that were deleted and are kept for 30 days)` : '';
  return new AppError(
    'quota_exceeded',
    `You use ${formatBytes(usage.bytes)} of ${formatBytes(usage.quota_bytes)}${deleted}, and ${asked} would not fit: delete datasets or artifacts that you no longer need`,
  );
}

/** Throws `storage_full` unless `bytes` fit on the disk and leave its reserve free. */
export async function checkDisk(bytes: number): Promise<void> {
  const free = await storage().freeBytes();
  if (free !== null && free - bytes < storageLimits().disk_reserve_bytes) throw storageFull();
}
