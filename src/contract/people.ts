import { z } from '@hono/zod-openapi';
import { LEAVING_WORDS, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, IdParam, Instant, PageFields, PageQuery } from './common.ts';
import { declareRoute, PERSON_ONLY, SESSION_ONLY } from './declare-route.ts';

const Email = z.email().max(254).openapi({ example: 'ada@example.org' });
/** A password that is being chosen; what is merely typed to sign in only has to fit. */
const NewPassword = z.string().min(PASSWORD_LENGTH_MIN).max(PASSWORD_LENGTH_MAX);
const TypedPassword = z.string().min(1).max(PASSWORD_LENGTH_MAX);
const Token = z.string().min(1).max(200);

export const Person = z
  .object({
    id: z.uuid(),
    name: z.string(),
    email: z.string(),
    role: z.enum(['administrator', 'user']),
    created_at: Instant,
  })
  .openapi('Person');

export const API_KEY_SCOPES = ['read', 'write'] as const;

export const ApiKey = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().describe('The first characters, to tell keys apart'),
    scopes: z.array(z.enum(API_KEY_SCOPES)),
    expires_at: Instant.nullable(),
    last_used_at: Instant.nullable(),
    revoked_at: Instant.nullable(),
    created_at: Instant,
  })
  .openapi('ApiKey');
export type ApiKey = z.infer<typeof ApiKey>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const body = <T extends z.ZodType>(schema: T) => ({ body: { required: true, content: { 'application/json': { schema } } } });

const SignedIn = z.object({ user: Person });

export const firstRunStateRoute = declareRoute({
  method: 'get',
  path: '/api/first-run',
  tags: ['people'],
  summary: 'Says if this installation still waits for its owner',
  security: [],
  request: { query: z.strictObject({}) },
  responses: { 200: answers(z.object({ needed: z.boolean() }), 'Whether set-up is needed') },
});

export const firstRunRoute = declareRoute({
  method: 'post',
  path: '/api/first-run',
  tags: ['people'],
  summary: 'Make the owner, once, with the set-up token that the terminal shows; signs in',
  security: [],
  request: body(z.strictObject({ setup_token: Token, name: ResourceName.optional(), email: Email, password: NewPassword })),
  responses: { 201: answers(SignedIn, 'The owner, signed in') },
  faults: [403, 'already_initialised', 429],
});

export const signInRoute = declareRoute({
  method: 'post',
  path: '/api/auth/sign-in',
  tags: ['people'],
  summary: 'Sign in with e-mail and password',
  security: [],
  request: body(z.strictObject({ email: Email, password: TypedPassword })),
  responses: { 200: answers(SignedIn, 'Signed in: the session is a cookie') },
  faults: ['invalid_credentials', 429],
});

export const signOutRoute = declareRoute({
  method: 'post',
  path: '/api/auth/sign-out',
  tags: ['people'],
  summary: 'End this session',
  security: SESSION_ONLY,
  responses: { 200: answers(z.object({ signed_out: z.literal(true) }), 'The session is over') },
});

export const changePasswordRoute = declareRoute({
  method: 'post',
  path: '/api/auth/change-password',
  tags: ['people'],
  summary: 'Choose another password: every other session of yours ends',
  security: SESSION_ONLY,
  request: body(z.strictObject({ current_password: TypedPassword, new_password: NewPassword })),
  responses: { 200: answers(SignedIn, 'Changed; this browser has a new session') },
  faults: ['invalid_credentials', 429],
});

export const signUpRoute = declareRoute({
  method: 'post',
  path: '/api/sign-up',
  tags: ['people'],
  summary: 'Join by invitation, or freely where the installation allows it; signs in',
  security: [],
  request: body(
    z.strictObject({
      invitation: Token.optional().describe('The token of the invitation link'),
      name: ResourceName.optional(),
      email: Email,
      password: NewPassword,
    }),
  ),
  responses: { 201: answers(SignedIn, 'Joined and signed in') },
  faults: ['invitation_required', 409, 429],
});

export const signInLinkRoute = declareRoute({
  method: 'post',
  path: '/api/sign-in-link',
  tags: ['people'],
  summary: 'Sign in with a one-time link: its page /sign-in/link#TOKEN sends the token here',
  security: [],
  request: body(z.strictObject({ token: Token })),
  responses: {
    200: answers(z.object({ user: Person, path: z.string().describe('The page that the link was made for') }), 'Signed in'),
  },
  faults: [403],
});

const ownChoices = {
  default_base_model_id: z
    .uuid()
    .nullable()
    .describe('What is trained where a submission names no base model; null: what the installation says'),
};
const Me = z
  .object({
    user: Person,
    credential: z.object({ kind: z.enum(['session', 'api_key', 'access_token']), scopes: z.array(z.enum(API_KEY_SCOPES)) }),
    ...ownChoices,
  })
  .openapi('Me');

export const meRoute = declareRoute({
  method: 'get',
  path: '/api/me',
  tags: ['people'],
  summary: 'Who I am, and by what',
  request: { query: z.strictObject({}) },
  responses: { 200: answers(Me, 'The caller') },
  faults: [404],
});

export const changeMeRoute = declareRoute({
  method: 'patch',
  path: '/api/me',
  tags: ['people'],
  summary: 'Choose for oneself: the base model of submissions that name none',
  request: body(
    z
      .strictObject(ownChoices)
      .openapi('ChangeMe', { example: { default_base_model_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11' } }),
  ),
  responses: { 200: answers(Me, 'The caller, as they chose') },
  faults: [404, 'base_model_not_ready', 422],
});

const LeaveBody = z
  .strictObject({
    password: TypedPassword.describe('One’s own, again'),
    confirm: z.literal(LEAVING_WORDS).describe('Instead of it, of who has no password'),
  })
  .partial()
  .refine((said) => Object.keys(said).length === 1, 'must have password, or confirm where the account has none')
  .openapi('Leave', { minProperties: 1, maxProperties: 1, example: { password: 'correct horse battery' } });

export const leaveRoute = declareRoute({
  method: 'delete',
  path: '/api/me',
  tags: ['people'],
  summary:
    'Leave for good, with the password again or in words: sessions and keys end now, jobs are cancelled, and all rows and files go',
  description:
    'Nothing of it comes back. What runs is ended first; rows and files go when the last of it is over. Base models that others trained on stay. The last administrator cannot leave. Who has no password, as people of a Supabase project, sends the words instead.',
  security: PERSON_ONLY,
  request: body(LeaveBody),
  responses: { 204: { description: 'Gone for everybody; the rest follows' } },
  faults: ['invalid_credentials', 409, 429],
});

export const createInvitationRoute = declareRoute({
  method: 'post',
  path: '/api/invitations',
  tags: ['people'],
  summary: 'Invite somebody (administrators): the link is shown this once',
  security: SESSION_ONLY,
  request: { headers: IdempotencyKey, ...body(z.strictObject({ email: Email })) },
  responses: {
    201: answers(
      z.object({
        id: z.uuid(),
        email: z.string(),
        url: z.string().nullable().describe('Open it once, within its time; null when the answer is a repeated one'),
        expires_at: Instant,
      }),
      'The invitation',
    ),
  },
  faults: [403, 404, 409],
});

export const listKeysRoute = declareRoute({
  method: 'get',
  path: '/api/keys',
  tags: ['people'],
  summary: 'Own API keys, without their secrets',
  security: SESSION_ONLY,
  request: { query: z.strictObject(PageQuery) },
  responses: { 200: answers(z.object({ keys: z.array(ApiKey), ...PageFields }), 'One page, newest first') },
});

export const createKeyRoute = declareRoute({
  method: 'post',
  path: '/api/keys',
  tags: ['people'],
  summary: 'Make an API key: its secret is shown this once',
  description:
    'Only its hash is kept. The same Idempotency-Key gets the same key again without its secret: if that was lost, revoke it and make another.',
  security: SESSION_ONLY,
  request: {
    headers: IdempotencyKey,
    ...body(
      z
        .strictObject({
          name: ResourceName,
          scopes: z.array(z.enum(API_KEY_SCOPES)).min(1).max(API_KEY_SCOPES.length).default(['read', 'write']),
          expires_at: Instant.optional(),
        })
        .openapi('CreateApiKey', { example: { name: 'Laptop', scopes: ['read', 'write'], expires_at: '2031-01-31T12:00:00Z' } }),
    ),
  },
  responses: {
    201: answers(
      ApiKey.extend({
        key: z.string().nullable().describe('Send it as Authorization: Bearer …; null when the answer is a repeated one'),
      }).openapi('NewApiKey'),
      'The key',
    ),
  },
  faults: ['limit_reached'],
});

export const revokeKeyRoute = declareRoute({
  method: 'delete',
  path: '/api/keys/{id}',
  tags: ['people'],
  summary: 'Revoke a key: it stops within 5 seconds',
  security: SESSION_ONLY,
  request: { params: IdParam },
  responses: { 200: answers(ApiKey, 'The key, revoked') },
  faults: [404],
});
