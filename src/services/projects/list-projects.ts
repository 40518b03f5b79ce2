import { and, desc, eq, ilike, or } from 'drizzle-orm';
import { projects } from '#/db/schema/projects.ts';
import { asUser } from '#/db/tenancy.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { containing } from '#/services/search-pattern.ts';
import { findProject, type ProjectRow } from './project-row.ts';

export interface ProjectQuery extends PageQuery {
  /** Looked for in name and description, without case. */
  search?: string | undefined;
}

/** One page of the caller's projects, newest first. Throws `invalid_request` (cursor). */
export function listProjects(ctx: Context, query: ProjectQuery): Promise<Paged & { projects: ProjectRow[] }> {
  return asUser(ctx.user_id, async (tx) => {
    const pattern = query.search === undefined ? undefined : containing(query.search);
    const wanted = and(
      eq(projects.user_id, ctx.user_id),
      pattern === undefined ? undefined : or(ilike(projects.name, pattern), ilike(projects.description, pattern)),
    );
    const rows = await tx
      .select()
      .from(projects)
      .where(and(wanted, await behindCursor(tx, projects, query.after)))
      .orderBy(desc(projects.created_at), desc(projects.id))
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    return { projects: found, ...(await countRows(tx, ctx.user_id, projects, wanted)), next_cursor };
  });
}

/** One project of the caller's. Throws `not_found`. */
export function getProject(ctx: Context, id: string): Promise<ProjectRow> {
  return asUser(ctx.user_id, (tx) => findProject(tx, id));
}
