import { eq } from 'drizzle-orm';
import { projects } from '#/db/schema/projects.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

export type ProjectRow = typeof projects.$inferSelect;

/** One of the transaction's user's projects. Throws `not_found`. */
export async function findProject(tx: Tx, id: string): Promise<ProjectRow> {
  const [row] = await tx.select().from(projects).where(eq(projects.id, id));
  if (row === undefined) {
    throw new AppError('not_found', 'There is no such project', [
      { path: 'project_id', message: 'no such project', code: 'not_found' },
    ]);
  }
  return row;
}
