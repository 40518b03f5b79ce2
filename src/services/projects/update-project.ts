import { and, eq, isNull } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { projects } from '#/db/schema/projects.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { findProject, type ProjectRow, takeProject } from './project-row.ts';

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

/**
 * Removes a project; what belonged to it stays, in no project. Throws `not_found`, and `conflict` while base models are narrowed to it, which
 * are not to be everybody's by that.
 */
export function deleteProject(ctx: Context, id: string): Promise<void> {
  return asUser(ctx.user_id, async (tx) => {
    const project = await takeProject(tx, id);
    const [model] = await tx
      .select({ name: baseModels.name })
      .from(baseModels)
      .where(and(eq(baseModels.project_id, id), isNull(baseModels.deleted_at)))
      .limit(1);
    if (model !== undefined) {
      const message = `${project.name} has base models that are narrowed to it (${model.name}): share them (project_id null), move or delete them first`;
      throw new AppError('conflict', message, [{ path: 'id', message, code: 'project_has_models' }]);
    }
    await tx.delete(projects).where(eq(projects.id, id));
  });
}
