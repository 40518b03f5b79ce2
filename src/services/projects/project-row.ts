import { eq } from 'drizzle-orm';
import { projects } from '#/db/schema/projects.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

export type ProjectRow = typeof projects.$inferSelect;

/** One of the transaction's user's projects. Throws `not_found`. */
export async function findProject(tx: Tx, id: string): Promise<ProjectRow> {
  return theOne(await tx.select().from(projects).where(eq(projects.id, id)));
}

/** The same, which then stays until the transaction ends. Throws `not_found`. */
export async function holdProject(tx: Tx, id: string): Promise<ProjectRow> {
  return theOne(await tx.select().from(projects).where(eq(projects.id, id)).for('key share'));
}

/** The same for whoever removes it: nothing is put into it meanwhile. Throws `not_found`. */
export async function takeProject(tx: Tx, id: string): Promise<ProjectRow> {
  return theOne(await tx.select().from(projects).where(eq(projects.id, id)).for('update'));
}

function theOne([row]: ProjectRow[]): ProjectRow {
  if (row === undefined) {
    throw new AppError('not_found', 'There is no such project', [
      { path: 'project_id', message: 'no such project', code: 'not_found' },
    ]);
  }
  return row;
}
