/** A worker's hold on one dataset that is to be checked: taken, kept, and settled under its number. */
import { sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { type DatasetVerdict, withoutReport } from '#/domain/dataset-report.ts';
import { findDefaultBaseModel } from '#/services/models/find-default-base-model.ts';
import { announce } from '#/services/notifications/announce.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import type { DatasetRow } from './dataset-row.ts';
import { tellImported } from './tell-imported.ts';

/** How long a claim is believed without renewal. */
export const CHECK_LEASE_S = 30;
const claims = workClaims(datasets, sql`status = 'validating' AND deleted_at IS NULL`, CHECK_LEASE_S, 'user_id');

export interface CheckClaim {
  dataset: DatasetRow;
  /** The base model that its owner trains when none is named: its tokenizer counts. */
  base_model_id: string | null;
}

/** Takes the oldest dataset that waits for its check, or whose checker went silent; null when there is none. */
export async function claimDatasetCheck(): Promise<CheckClaim | null> {
  const claim = await asScheduler(async (tx) => {
    const dataset = await claims.take(tx);
    return dataset === null ? null : { dataset, base_model_id: await findDefaultBaseModel(tx, dataset.user_id) };
  });
  if (claim === null || claim.dataset.attempts <= CLAIM_ATTEMPTS_MAX) return claim;
  const message =
    'The check of this file ended several times without a result: upload it again, in smaller parts if it is large.';
  await finishDatasetCheck(claim.dataset, withoutReport({ code: 'check_failed', message }));
  return claimDatasetCheck();
}

export const renewDatasetCheck = (dataset: DatasetRow) => claims.renew(dataset);
export const releaseDatasetCheck = (dataset: DatasetRow) => claims.release(dataset);

/** Stores what a check found, with its notification, in one transaction. Throws `fenced`. */
export async function finishDatasetCheck(dataset: DatasetRow, verdict: DatasetVerdict): Promise<void> {
  await asScheduler(async (tx) => {
    await claims.write(tx, dataset, { ...verdict, validated_at: sql`now()`, lease_until: null, attempts: 0 });
    await tellImported(tx, dataset, verdict);
    const ready = verdict.status === 'ready';
    const reason = verdict.validation_errors[0]?.message ?? '';
    const pairs = verdict.total_training_pairs ?? 0;
    await announce(tx, {
      user_id: dataset.user_id,
      type: ready ? 'dataset_ready' : 'dataset_error',
      message: `${dataset.name}: ${ready ? `${pairs} training pair${pairs === 1 ? '' : 's'}` : reason}`,
      action_url: `/datasets/${dataset.id}`,
      metadata: { dataset_id: dataset.id },
      data: {
        name: dataset.name,
        status: verdict.status,
        total_training_pairs: verdict.total_training_pairs,
        failure: ready ? null : { code: verdict.validation_errors[0]?.code ?? 'unknown', message: reason },
      },
    });
  });
}
