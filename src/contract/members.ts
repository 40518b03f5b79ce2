import { z } from '@hono/zod-openapi';
import { IdParam, Instant, PageLimit, PageOffset } from './common.ts';
import { declareRoute, SESSION_ONLY } from './declare-route.ts';
import { Person } from './people.ts';

/** An invitation that nobody has accepted: its link is told when it is made and never again. */
export const OpenInvitation = z
  .object({
    id: z.uuid(),
    email: z.string(),
    invited_by: z.string().nullable().describe('The name of whoever invited'),
    expires_at: Instant.describe('Past: its link opens nothing any more'),
    created_at: Instant,
  })
  .openapi('OpenInvitation');

/** A person as administrators see them. */
const Member = Person.extend({
  disabled_at: Instant.nullable().describe('When an administrator locked them out'),
}).openapi('Member');

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const page = { query: z.strictObject({ limit: PageLimit, offset: PageOffset }) };

export const listUsersRoute = declareRoute({
  method: 'get',
  path: '/api/users',
  tags: ['people'],
  summary: 'Everybody in this studio (administrators), in the order in which they came',
  request: page,
  responses: {
    200: answers(z.object({ users: z.array(Member), total: z.int(), limit: z.int(), offset: z.int() }), 'One page'),
  },
});

export const changeUserRoute = declareRoute({
  method: 'patch',
  path: '/api/users/{id}',
  tags: ['people'],
  summary: 'Lock a person out or let them in again (administrators): their sessions end, their keys and tokens are not taken',
  security: SESSION_ONLY,
  request: {
    params: IdParam,
    body: { required: true, content: { 'application/json': { schema: z.strictObject({ disabled: z.boolean() }) } } },
  },
  responses: { 200: answers(Member, 'The person') },
  faults: [404, 409],
});

export const listInvitationsRoute = declareRoute({
  method: 'get',
  path: '/api/invitations',
  tags: ['people'],
  summary: 'Invitations that nobody has accepted (administrators), newest first',
  request: page,
  responses: {
    200: answers(z.object({ invitations: z.array(OpenInvitation), total: z.int(), limit: z.int(), offset: z.int() }), 'One page'),
  },
});

export const revokeInvitationRoute = declareRoute({
  method: 'delete',
  path: '/api/invitations/{id}',
  tags: ['people'],
  summary: 'Take an invitation back (administrators): its link opens nothing any more',
  request: { params: IdParam },
  responses: { 204: { description: 'Taken back' } },
  faults: [404],
});
