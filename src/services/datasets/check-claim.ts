/** A worker's hold on one dataset that is to be checked: taken, kept, and settled under its number. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { notifications } from '#/db/schema/machine.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type DatasetVerdict, withoutReport } from '#/domain/dataset-report.ts';
import { findDefaultBaseModel } from '#/services/models/find-default-base-model.ts';
import type { DatasetRow } from './dataset-row.ts';

/** How long a claim is believed without renewal. */
export const CHECK_LEASE_S = 30;
const ATTEMPTS_MAX = 3;

export interface CheckClaim {
  dataset: DatasetRow;
  /** The base model that the installation trains when none is named: its tokenizer counts. */
  base_model_id: string | null;
}

const lease = sql`clock_timestamp() + make_interval(secs => ${CHECK_LEASE_S})`;

const held = (dataset: DatasetRow) =>
  and(
    eq(datasets.id, dataset.id),
    eq(datasets.status, 'validating'),
    eq(datasets.claim, dataset.claim),
    isNull(datasets.deleted_at),
  );

/** Takes the oldest dataset that waits for its check, or whose checker went silent; null when there is none. */
export async function claimDatasetCheck(): Promise<CheckClaim | null> {
  const claim = await asScheduler(async (tx) => {
    const [dataset] = await tx
      .update(datasets)
      .set({ lease_until: lease, claim: sql`claim + 1`, attempts: sql`attempts + 1` })
      .where(
        eq(
          datasets.id,
          sql`(SELECT id FROM lowrank.datasets WHERE status = 'validating' AND deleted_at IS NULL
               AND (lease_until IS NULL OR lease_until < clock_timestamp()) ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)`,
        ),
      )
      .returning();
    return dataset === undefined ? null : { dataset, base_model_id: await findDefaultBaseModel(tx) };
  });
  if (claim === null || claim.dataset.attempts <= ATTEMPTS_MAX) return claim;
  const message =
    'The check of this file ended several times without a result: upload it again, in smaller parts if it is large.';
  await finishDatasetCheck(claim.dataset, withoutReport({ code: 'check_failed', message }));
  return claimDatasetCheck();
}

/** Keeps the claim. Throws `fenced` when the dataset is somebody else's, was asked for anew or was deleted. */
export async function renewDatasetCheck(dataset: DatasetRow): Promise<void> {
  await asScheduler(async (tx) => {
    const rows = await tx.update(datasets).set({ lease_until: lease }).where(held(dataset)).returning({ id: datasets.id });
    if (rows.length === 0) throw fenced(dataset);
  });
}

/** Gives the claim back unused, for a worker that stops. */
export async function releaseDatasetCheck(dataset: DatasetRow): Promise<void> {
  await asScheduler((tx) =>
    tx
      .update(datasets)
      .set({ lease_until: null, attempts: Math.max(0, dataset.attempts - 1) })
      .where(held(dataset)),
  );
}

/** Stores what a check found, with its notification, in one transaction. Throws `fenced`. */
export async function finishDatasetCheck(dataset: DatasetRow, verdict: DatasetVerdict): Promise<void> {
  await asScheduler(async (tx) => {
    const rows = await tx
      .update(datasets)
      .set({ ...verdict, validated_at: sql`now()`, lease_until: null, attempts: 0 })
      .where(held(dataset))
      .returning({ id: datasets.id });
    if (rows.length === 0) throw fenced(dataset);
    const ready = verdict.status === 'ready';
    const reason = verdict.validation_errors[0]?.message ?? '';
    const pairs = verdict.total_training_pairs ?? 0;
    await tx.insert(notifications).values({
      user_id: dataset.user_id,
      type: ready ? 'dataset_ready' : 'dataset_error',
      title: ready ? 'Dataset ready' : 'Dataset cannot be used',
      message: `${dataset.name}: ${ready ? `${pairs} training pair${pairs === 1 ? '' : 's'}` : reason}`,
      priority: ready ? 'normal' : 'high',
      action_url: `/datasets/${dataset.id}`,
      metadata: { dataset_id: dataset.id },
    });
  });
}

function fenced(dataset: DatasetRow): AppError {
  return new AppError('fenced', `Dataset ${dataset.id} is no longer held under claim ${dataset.claim}`);
}
