import { and, count, desc, eq } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findJob } from '#/services/jobs/job-row.ts';
import { type ArtifactRow, findArtifact, ownArtifacts, selectArtifacts } from './artifact-row.ts';

/** One page of the caller's artifacts, newest first, and how many there are in all. */
export function listArtifacts(
  ctx: Context,
  query: { limit: number; offset: number },
): Promise<{ artifacts: ArtifactRow[]; total: number }> {
  return asUser(ctx.user_id, async (tx) => {
    const wanted = ownArtifacts(ctx.user_id);
    const artifacts = await selectArtifacts(tx)
      .where(wanted)
      .orderBy(desc(modelArtifacts.created_at), desc(modelArtifacts.id))
      .limit(query.limit)
      .offset(query.offset);
    const [counted] = await tx.select({ total: count() }).from(modelArtifacts).where(wanted);
    return { artifacts, total: counted?.total ?? 0 };
  });
}

/** What one of the caller's jobs left, newest first. Throws `not_found` for a job that is not theirs. */
export function listJobArtifacts(ctx: Context, job_id: string): Promise<ArtifactRow[]> {
  return asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    return selectArtifacts(tx)
      .where(and(ownArtifacts(ctx.user_id), eq(modelArtifacts.job_id, job_id)))
      .orderBy(desc(modelArtifacts.created_at), desc(modelArtifacts.id));
  });
}

/** One of the caller's artifacts. Throws `not_found`. */
export function getArtifact(ctx: Context, id: string): Promise<ArtifactRow> {
  return asUser(ctx.user_id, (tx) => findArtifact(tx, ctx.user_id, id));
}
