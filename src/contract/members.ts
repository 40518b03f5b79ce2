import { z } from '@hono/zod-openapi';
import { ActiveJobsMax } from '#/domain/settings.ts';
import { IdParam, Instant, PageFields, PageQuery } from './common.ts';
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
  active_jobs_max: ActiveJobsMax.nullable().describe(
    'How many of their jobs may be active at once; null: as many as the settings say',
  ),
}).openapi('Member');

const ChangeUserBody = z
  .strictObject({ disabled: z.boolean(), active_jobs_max: ActiveJobsMax.nullable() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must have at least one field to change')
  .openapi('ChangeUser', { minProperties: 1, example: { active_jobs_max: 4 } });

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const page = { query: z.strictObject(PageQuery) };

export const listUsersRoute = declareRoute({
  method: 'get',
  path: '/api/users',
  tags: ['people'],
  summary: 'Everybody in this studio (administrators), in the order in which they came',
  request: page,
  responses: {
    200: answers(z.object({ users: z.array(Member), ...PageFields }), 'One page'),
  },
  faults: [403],
});

export const changeUserRoute = declareRoute({
  method: 'patch',
  path: '/api/users/{id}',
  tags: ['people'],
  summary:
    'Lock a person out, so that no session, key or token of theirs is taken, or give them a limit of their own (administrators)',
  security: SESSION_ONLY,
  request: {
    params: IdParam,
    body: { required: true, content: { 'application/json': { schema: ChangeUserBody } } },
  },
  responses: { 200: answers(Member, 'The person') },
  faults: [403, 404, 409],
});

export const listInvitationsRoute = declareRoute({
  method: 'get',
  path: '/api/invitations',
  tags: ['people'],
  summary: 'Invitations that nobody has accepted (administrators), newest first',
  request: page,
  responses: {
    200: answers(z.object({ invitations: z.array(OpenInvitation), ...PageFields }), 'One page'),
  },
  faults: [403],
});

export const revokeInvitationRoute = declareRoute({
  method: 'delete',
  path: '/api/invitations/{id}',
  tags: ['people'],
  summary: 'Take an invitation back (administrators): its link opens nothing any more',
  request: { params: IdParam },
  responses: { 204: { description: 'Taken back' } },
  faults: [403, 404],
});
