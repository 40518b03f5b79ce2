import { and, desc, eq, type SQL } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { findJob } from '#/services/jobs/job-row.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { type ArtifactRow, findArtifact, ownArtifacts, selectArtifacts } from './artifact-row.ts';

export interface ArtifactPage extends Paged {
  artifacts: ArtifactRow[];
}

/** One page of the caller's artifacts, newest first. Throws `invalid_request` (cursor). */
export function listArtifacts(ctx: Context, query: PageQuery): Promise<ArtifactPage> {
  return asUser(ctx.user_id, (tx) => readPage(tx, ctx, query, ownArtifacts(ctx.user_id)));
}

/** One page of what one of the caller's jobs left, newest first. Throws `not_found` (job) and `invalid_request` (cursor). */
export function listJobArtifacts(ctx: Context, job_id: string, query: PageQuery): Promise<ArtifactPage> {
  return asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    return readPage(tx, ctx, query, and(ownArtifacts(ctx.user_id), eq(modelArtifacts.job_id, job_id)));
  });
}

async function readPage(tx: Tx, ctx: Context, query: PageQuery, wanted: SQL | undefined): Promise<ArtifactPage> {
  const rows = await selectArtifacts(tx)
    .where(and(wanted, await behindCursor(tx, modelArtifacts, query.after)))
    .orderBy(desc(modelArtifacts.created_at), desc(modelArtifacts.id))
    .limit(oneMore(query))
    .offset(skipped(query));
  const { rows: artifacts, next_cursor } = cutPage(rows, query.limit, ({ artifact }) => artifact.id);
  return { artifacts, ...(await countRows(tx, ctx.user_id, modelArtifacts, wanted)), next_cursor };
}

/** One of the caller's artifacts. Throws `not_found`. */
export function getArtifact(ctx: Context, id: string): Promise<ArtifactRow> {
  return asUser(ctx.user_id, (tx) => findArtifact(tx, ctx.user_id, id));
}
