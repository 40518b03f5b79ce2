import { listInvitationsRoute, listUsersRoute, revokeInvitationRoute } from '#/contract/members.ts';
import { listPeople } from '#/services/people/list-people.ts';
import { listOpenInvitations, revokeInvitation } from '#/services/people/open-invitations.ts';
import type { RouteModule } from './api-env.ts';

/** Who is in this studio and who is asked to come: for its administrators. */
export const memberRoutes: RouteModule = (api) => {
  api.openapi(listUsersRoute, async (c) => {
    const page = c.req.valid('query');
    const { people, total } = await listPeople(c.var.ctx, page);
    const users = people.map((person) => ({ ...person, created_at: person.created_at.toISOString() }));
    return c.json({ users, total, ...page }, 200);
  });
  api.openapi(listInvitationsRoute, async (c) => {
    const page = c.req.valid('query');
    const { invitations, total } = await listOpenInvitations(c.var.ctx, page);
    const open = invitations.map(({ expires_at, created_at, ...invitation }) => ({
      ...invitation,
      expires_at: expires_at.toISOString(),
      created_at: created_at.toISOString(),
    }));
    return c.json({ invitations: open, total, ...page }, 200);
  });
  api.openapi(revokeInvitationRoute, async (c) => {
    await revokeInvitation(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
};
