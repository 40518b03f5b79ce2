import { eq, sql } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findArtifact } from './artifact-row.ts';

/** Takes an artifact out of sight, and its downloads with it; the files go 30 days later. Throws `not_found`. */
export function deleteArtifact(ctx: Context, id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    await findArtifact(tx, ctx.user_id, id);
    await tx.update(modelArtifacts).set({ deleted_at: sql`now()` }).where(eq(modelArtifacts.id, id));
  });
}
