import { and, eq, isNull } from 'drizzle-orm';
import { modelArtifacts, trainingJobs } from '#/db/schema/jobs.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** An artifact with what its job says of it. */
export function selectArtifacts(tx: Tx) {
  return tx
    .select({ artifact: modelArtifacts, job: { name: trainingJobs.name, config: trainingJobs.config } })
    .from(modelArtifacts)
    .innerJoin(trainingJobs, eq(trainingJobs.id, modelArtifacts.job_id))
    .$dynamic();
}

export type ArtifactRow = Awaited<ReturnType<typeof selectArtifacts>>[number];

/** The condition for the caller's own artifacts that are still there. */
export function ownArtifacts(user_id: string) {
  return and(eq(modelArtifacts.user_id, user_id), isNull(modelArtifacts.deleted_at), isNull(modelArtifacts.purged_at));
}

/** One of the caller's artifacts. Throws `not_found`. */
export async function findArtifact(tx: Tx, user_id: string, id: string): Promise<ArtifactRow> {
  const [row] = await selectArtifacts(tx).where(and(ownArtifacts(user_id), eq(modelArtifacts.id, id)));
  if (row === undefined) throw new AppError('not_found', 'There is no such artifact');
  return row;
}
