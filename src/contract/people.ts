import { createRoute, z } from '@hono/zod-openapi';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { errors, IdParam, Instant } from './common.ts';

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

export const firstRunStateRoute = createRoute({
  method: 'get',
  path: '/api/first-run',
  tags: ['people'],
  summary: 'Says if this installation still waits for its owner',
  security: [],
  request: { query: z.strictObject({}) },
  responses: { 200: answers(z.object({ needed: z.boolean() }), 'Whether set-up is needed'), ...errors() },
});

export const firstRunRoute = createRoute({
  method: 'post',
  path: '/api/first-run',
  tags: ['people'],
  summary: 'Make the owner, once, with the set-up token that the terminal shows; signs in',
  security: [],
  request: body(z.strictObject({ setup_token: Token, name: ResourceName.optional(), email: Email, password: NewPassword })),
  responses: { 201: answers(SignedIn, 'The owner, signed in'), ...errors(403, 409, 413, 415, 429) },
});

export const signInRoute = createRoute({
  method: 'post',
  path: '/api/auth/sign-in',
  tags: ['people'],
  summary: 'Sign in with e-mail and password',
  security: [],
  request: body(z.strictObject({ email: Email, password: TypedPassword })),
  responses: { 200: answers(SignedIn, 'Signed in: the session is a cookie'), ...errors(403, 413, 415, 429) },
});

export const signOutRoute = createRoute({
  method: 'post',
  path: '/api/auth/sign-out',
  tags: ['people'],
  summary: 'End this session',
  responses: { 200: answers(z.object({ signed_out: z.literal(true) }), 'The session is over'), ...errors(403) },
});

export const changePasswordRoute = createRoute({
  method: 'post',
  path: '/api/auth/change-password',
  tags: ['people'],
  summary: 'Choose another password: every other session of yours ends',
  request: body(z.strictObject({ current_password: TypedPassword, new_password: NewPassword })),
  responses: { 200: answers(SignedIn, 'Changed; this browser has a new session'), ...errors(403, 413, 415, 429) },
});

export const signUpRoute = createRoute({
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
  responses: { 201: answers(SignedIn, 'Joined and signed in'), ...errors(403, 409, 413, 415, 429) },
});

export const signInLinkRoute = createRoute({
  method: 'post',
  path: '/api/sign-in-link',
  tags: ['people'],
  summary: 'Sign in with a one-time link: its page /sign-in/link#TOKEN sends the token here',
  security: [],
  request: body(z.strictObject({ token: Token })),
  responses: {
    200: answers(z.object({ user: Person, path: z.string().describe('The page that the link was made for') }), 'Signed in'),
    ...errors(403, 413, 415, 429),
  },
});

export const meRoute = createRoute({
  method: 'get',
  path: '/api/me',
  tags: ['people'],
  summary: 'Who I am, and by what',
  request: { query: z.strictObject({}) },
  responses: {
    200: answers(
      z.object({
        user: Person,
        credential: z.object({ kind: z.enum(['session', 'api_key']), scopes: z.array(z.enum(API_KEY_SCOPES)) }),
      }),
      'The caller',
    ),
    ...errors(),
  },
});

export const createInvitationRoute = createRoute({
  method: 'post',
  path: '/api/invitations',
  tags: ['people'],
  summary: 'Invite somebody (administrators): the link is shown this once',
  request: body(z.strictObject({ email: Email })),
  responses: {
    201: answers(
      z.object({
        id: z.uuid(),
        email: z.string(),
        url: z.string().describe('Open it once, within its time'),
        expires_at: Instant,
      }),
      'The invitation',
    ),
    ...errors(403, 409, 413, 415),
  },
});

export const listKeysRoute = createRoute({
  method: 'get',
  path: '/api/keys',
  tags: ['people'],
  summary: 'Own API keys, without their secrets',
  request: { query: z.strictObject({}) },
  responses: { 200: answers(z.object({ keys: z.array(ApiKey) }), 'Newest first'), ...errors() },
});

export const createKeyRoute = createRoute({
  method: 'post',
  path: '/api/keys',
  tags: ['people'],
  summary: 'Make an API key: its secret is shown this once',
  request: body(
    z.strictObject({
      name: ResourceName,
      scopes: z.array(z.enum(API_KEY_SCOPES)).min(1).max(API_KEY_SCOPES.length).default(['read', 'write']),
      expires_at: Instant.optional(),
    }),
  ),
  responses: {
    201: answers(
      ApiKey.extend({ key: z.string().describe('Send it as Authorization: Bearer …') }).openapi('NewApiKey'),
      'The key',
    ),
    ...errors(403, 413, 415),
  },
});

export const revokeKeyRoute = createRoute({
  method: 'delete',
  path: '/api/keys/{id}',
  tags: ['people'],
  summary: 'Revoke a key: it stops within 5 seconds',
  request: { params: IdParam },
  responses: { 200: answers(ApiKey, 'The key, revoked'), ...errors(403, 404) },
});
