import { and, desc, eq, ilike, isNull, or } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { asUser } from '#/db/tenancy.ts';
import type { ModelStage } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { containing } from '#/services/search-pattern.ts';
import { findDefaultBaseModel } from './find-default-base-model.ts';
import { type BaseModelRow, findModel } from './model-row.ts';

export interface ModelQuery extends PageQuery {
  /** What is shared, and what is narrowed to this project of the caller's. */
  project?: string | undefined;
  /** Looked for in name, description and family, without case. */
  search?: string | undefined;
  family?: string | undefined;
  modality?: string | undefined;
  stage?: ModelStage | undefined;
  trainable?: boolean | undefined;
  servable?: boolean | undefined;
}

export interface ModelPage extends Paged {
  models: BaseModelRow[];
  /** What a submission that names none is trained on; null where nothing decides it. */
  default_model_id: string | null;
}

/** One page of the registry that all users share, with what is narrowed to the caller's projects, newest first. */
export function listModels(ctx: Context, query: ModelQuery): Promise<ModelPage> {
  return asUser(ctx.user_id, async (tx) => {
    const pattern = query.search === undefined ? undefined : containing(query.search);
    const wanted = and(
      isNull(baseModels.deleted_at),
      query.project === undefined ? undefined : or(eq(baseModels.narrowed, false), eq(baseModels.project_id, query.project)),
      query.family === undefined ? undefined : eq(baseModels.family, query.family),
      query.modality === undefined ? undefined : eq(baseModels.modality, query.modality),
      query.stage === undefined ? undefined : eq(baseModels.stage, query.stage),
      query.trainable === undefined ? undefined : eq(baseModels.trainable, query.trainable),
      query.servable === undefined ? undefined : eq(baseModels.servable, query.servable),
      pattern === undefined
        ? undefined
        : or(ilike(baseModels.name, pattern), ilike(baseModels.description, pattern), ilike(baseModels.family, pattern)),
    );
    const rows = await tx
      .select()
      .from(baseModels)
      .where(and(wanted, await behindCursor(tx, baseModels, query.after)))
      .orderBy(desc(baseModels.created_at), desc(baseModels.id))
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: models, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    const total = await countRows(tx, ctx.user_id, baseModels, wanted);
    return { models, ...total, next_cursor, default_model_id: await findDefaultBaseModel(tx, ctx.user_id) };
  });
}

/** One registered model. Throws `not_found`. */
export function getModel(ctx: Context, id: string): Promise<BaseModelRow> {
  return asUser(ctx.user_id, (tx) => findModel(tx, id));
}
