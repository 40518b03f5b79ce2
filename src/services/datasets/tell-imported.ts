import { and, eq, sql } from 'drizzle-orm';
import { activities } from '#/db/schema/activities.ts';
import { transfers } from '#/db/schema/transfers.ts';
import type { Tx } from '#/db/tenancy.ts';
import type { ActivityType } from '#/domain/activity.ts';
import type { DatasetVerdict } from '#/domain/dataset-report.ts';
import { recordActivity } from '#/services/activities/record-activity.ts';
import type { DatasetRow } from './dataset-row.ts';

const IMPORTED = 'dataset_imported' satisfies ActivityType;

/**
 * Tells the feed that a dataset of the Hub is here, in the transaction in which its first check ends: only then it is known how
 * many rows it has. Of uploads, and of further checks, it tells nothing.
 */
export async function tellImported(tx: Tx, dataset: DatasetRow, verdict: DatasetVerdict): Promise<void> {
  const { id, user_id, name, project_id, file_size: size_bytes } = dataset;
  // An import's dataset has its transfer's id.
  const [transfer] = await tx
    .select({ hf_repo_id: transfers.hf_repo_id })
    .from(transfers)
    .where(and(eq(transfers.id, id), eq(transfers.kind, 'dataset')));
  if (transfer === undefined) return;
  const [told] = await tx
    .select({ one: sql`1` })
    .from(activities)
    .where(and(eq(activities.user_id, user_id), eq(activities.entity_id, id), eq(activities.event_type, IMPORTED)))
    .limit(1);
  if (told !== undefined) return;
  await recordActivity(tx, {
    user_id,
    event_type: IMPORTED,
    entity_type: 'dataset',
    entity_id: id,
    message: name,
    status: verdict.status,
    project_id,
    metadata: {
      dataset_id: id,
      dataset_name: name,
      hf_repo_id: transfer.hf_repo_id,
      size_bytes,
      num_samples: verdict.num_samples,
    },
  });
}
