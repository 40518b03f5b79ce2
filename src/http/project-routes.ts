import {
  createProjectRoute,
  deleteProjectRoute,
  getProjectRoute,
  listProjectsRoute,
  updateProjectRoute,
} from '#/contract/projects.ts';
import { createProject } from '#/services/projects/create-project.ts';
import { getProject, listProjects } from '#/services/projects/list-projects.ts';
import type { ProjectRow } from '#/services/projects/project-row.ts';
import { deleteProject, updateProject } from '#/services/projects/update-project.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';

const present = ({ id, name, description, created_at, updated_at }: ProjectRow) => ({
  id,
  name,
  description,
  created_at: created_at.toISOString(),
  updated_at: updated_at.toISOString(),
});

/** Projects: a user's own folders. */
export const projectRoutes: RouteModule = (api) => {
  api.openapi(listProjectsRoute, async (c) => {
    const { q, ...query } = c.req.valid('query');
    const { projects, ...page } = await listProjects(c.var.ctx, { ...query, search: query.search ?? q });
    const { limit, offset } = query;
    return c.json({ projects: projects.map(present), ...page, limit, offset }, 200);
  });
  api.openapi(createProjectRoute, (c) => {
    const wish = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/projects',
      request: () => wish,
      make: (hooks) => createProject(c.var.ctx, wish, hooks),
      present,
    });
  });
  api.openapi(getProjectRoute, async (c) => c.json(present(await getProject(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(updateProjectRoute, async (c) => {
    const project = await updateProject(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    return c.json(present(project), 200);
  });
  api.openapi(deleteProjectRoute, async (c) => {
    await deleteProject(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
};
