import { eq } from 'drizzle-orm';
import { projects } from '#/db/schema/projects.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { refuseMore } from '#/services/row-caps/refuse-more.ts';
import { findProject, type ProjectRow } from './project-row.ts';

/** Makes a project of the caller's. Throws `limit_reached`. */
export function createProject(
  ctx: Context,
  wish: { name: string; description: string },
  hooks: CreationHooks = {},
): Promise<ProjectRow> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return findProject(tx, known);
    await refuseMore(tx, ctx.user_id, 'projects', projects, eq(projects.user_id, ctx.user_id));
    const [project] = await tx
      .insert(projects)
      .values({ ...wish, user_id: ctx.user_id })
      .returning();
    if (project === undefined) throw new Error('the insert of a project returned no row');
    await hooks.after?.(tx, project.id);
    return project;
  });
}
