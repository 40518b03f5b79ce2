import { eq } from 'drizzle-orm';
import { projects } from '#/db/schema/projects.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { findProject, type ProjectRow } from './project-row.ts';

/** Changes what is said about a project. Throws `not_found`. */
export function updateProject(
  ctx: Context,
  id: string,
  changes: { name?: string | undefined; description?: string | undefined },
): Promise<ProjectRow> {
  return asUser(ctx.user_id, async (tx) => {
    const project = await findProject(tx, id);
    const columns = { name: changes.name ?? project.name, description: changes.description ?? project.description };
    await tx.update(projects).set(columns).where(eq(projects.id, id));
    return findProject(tx, id);
  });
}

/** Removes a project; what belonged to it stays, in no project. Throws `not_found`. */
export function deleteProject(ctx: Context, id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    await findProject(tx, id);
    await tx.delete(projects).where(eq(projects.id, id));
  });
}
