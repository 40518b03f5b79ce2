import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { type DatasetRow, findDataset } from './dataset-row.ts';

/** One of the caller's datasets with its report. Throws `not_found`. */
export function getDataset(ctx: Context, id: string): Promise<DatasetRow> {
  return asUser(ctx.user_id, (tx) => findDataset(tx, ctx.user_id, id));
}
