import { and, desc, eq, getTableColumns, ilike, isNull, not, or, type SQL, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asUser } from '#/db/tenancy.ts';
import { FORMATS_WITH_TURNS, type JudgedModel } from '#/domain/dataset-compatibility.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { findModel } from '#/services/models/model-row.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { containing } from '#/services/search-pattern.ts';
import type { DatasetRow } from './dataset-row.ts';

// A list goes without what only the report shows.
const { sample_data: _samples, validation_errors: _errors, findings: _findings, ...LISTED } = getTableColumns(datasets);

export type ListedDataset = Omit<DatasetRow, 'sample_data' | 'validation_errors' | 'findings'>;

export interface DatasetQuery extends PageQuery {
  /** Looked for in name and description, without case. */
  search?: string | undefined;
  project?: string | undefined;
  modality?: string | undefined;
  /** Only those that can train this base model. */
  compatible_with_model?: string | undefined;
  include_incompatible?: boolean | undefined;
}

export interface DatasetPage extends Paged {
  datasets: ListedDataset[];
  /** The model that was asked about, to judge each dataset by. */
  model: JudgedModel | null;
}

/** `judgeCompatibility` without an error, as a query has it; a test holds the two together. */
function canTrain(model: JudgedModel): SQL | undefined {
  return and(
    eq(datasets.status, 'ready'),
    eq(datasets.training_ready, true),
    eq(datasets.modality, model.modality),
    model.has_chat_template ? undefined : not(sql`coalesce(${datasets.format}, '') = ANY(${sql.param([...FORMATS_WITH_TURNS])})`),
  );
}

/** One page of the caller's datasets, newest first. Throws `not_found` (model) and `invalid_request` (cursor). */
export function listDatasets(ctx: Context, query: DatasetQuery): Promise<DatasetPage> {
  return asUser(ctx.user_id, async (tx) => {
    const { compatible_with_model: model_id } = query;
    const model = model_id === undefined ? null : await findModel(tx, model_id);
    const pattern = query.search === undefined ? undefined : containing(query.search);
    const wanted = and(
      eq(datasets.user_id, ctx.user_id),
      isNull(datasets.deleted_at),
      query.project === undefined ? undefined : eq(datasets.project_id, query.project),
      query.modality === undefined ? undefined : eq(datasets.modality, query.modality),
      pattern === undefined ? undefined : or(ilike(datasets.name, pattern), ilike(datasets.description, pattern)),
      model === null || query.include_incompatible === true ? undefined : canTrain(model),
    );
    const rows = await tx
      .select(LISTED)
      .from(datasets)
      .where(and(wanted, await behindCursor(tx, datasets, query.after)))
      .orderBy(desc(datasets.created_at), desc(datasets.id))
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    return { datasets: found, ...(await countRows(tx, ctx.user_id, datasets, wanted)), next_cursor, model };
  });
}
