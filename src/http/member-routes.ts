import { changeUserRoute, listInvitationsRoute, listUsersRoute, revokeInvitationRoute } from '#/contract/members.ts';
import { changePerson } from '#/services/people/change-person.ts';
import { listPeople, type Member } from '#/services/people/list-people.ts';
import { listOpenInvitations, revokeInvitation } from '#/services/people/open-invitations.ts';
import type { RouteModule } from './api-env.ts';
import { forgetCredentials } from './authenticate.ts';

const presentMember = (member: Member) => ({
  ...member,
  created_at: member.created_at.toISOString(),
  disabled_at: member.disabled_at?.toISOString() ?? null,
});

/** Who is in this studio and who is asked to come: for its administrators. */
export const memberRoutes: RouteModule = (api) => {
  api.openapi(listUsersRoute, async (c) => {
    const { after, ...place } = c.req.valid('query');
    const { people, ...page } = await listPeople(c.var.ctx, { ...place, after });
    return c.json({ users: people.map(presentMember), ...page, ...place }, 200);
  });
  api.openapi(changeUserRoute, async (c) => {
    const member = await changePerson(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    forgetCredentials();
    return c.json(presentMember(member), 200);
  });
  api.openapi(listInvitationsRoute, async (c) => {
    const { after, ...place } = c.req.valid('query');
    const { invitations, ...page } = await listOpenInvitations(c.var.ctx, { ...place, after });
    const open = invitations.map(({ expires_at, created_at, ...invitation }) => ({
      ...invitation,
      expires_at: expires_at.toISOString(),
      created_at: created_at.toISOString(),
    }));
    return c.json({ invitations: open, ...page, ...place }, 200);
  });
  api.openapi(revokeInvitationRoute, async (c) => {
    await revokeInvitation(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
};
