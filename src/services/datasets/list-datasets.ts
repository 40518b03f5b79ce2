import { and, count, desc, eq, getTableColumns, ilike, isNull, or } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import type { DatasetRow } from './dataset-row.ts';

// A list goes without what only the report shows.
const { sample_data: _samples, validation_errors: _errors, ...LISTED } = getTableColumns(datasets);

export type ListedDataset = Omit<DatasetRow, 'sample_data' | 'validation_errors'>;

export interface DatasetQuery {
  limit: number;
  offset: number;
  /** Looked for in name and description, without case. */
  search?: string | undefined;
  modality?: string | undefined;
}

/** A pattern that finds a text wherever it stands, whatever characters it has. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

/** One page of the caller's datasets, newest first, and how many there are in all. */
export function listDatasets(ctx: Context, query: DatasetQuery): Promise<{ datasets: ListedDataset[]; total: number }> {
  return asUser(ctx.user_id, async (tx) => {
    const pattern = query.search === undefined ? undefined : containing(query.search);
    const wanted = and(
      eq(datasets.user_id, ctx.user_id),
      isNull(datasets.deleted_at),
      query.modality === undefined ? undefined : eq(datasets.modality, query.modality),
      pattern === undefined ? undefined : or(ilike(datasets.name, pattern), ilike(datasets.description, pattern)),
    );
    const rows = await tx
      .select(LISTED)
      .from(datasets)
      .where(wanted)
      .orderBy(desc(datasets.created_at), desc(datasets.id))
      .limit(query.limit)
      .offset(query.offset);
    const [counted] = await tx.select({ total: count() }).from(datasets).where(wanted);
    return { datasets: rows, total: counted?.total ?? 0 };
  });
}
