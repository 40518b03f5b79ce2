import type { HttpBindings } from '@hono/node-server';
import type { Context as HonoContext } from 'hono';
import {
  changeMeRoute,
  changePasswordRoute,
  createInvitationRoute,
  createKeyRoute,
  firstRunRoute,
  firstRunStateRoute,
  leaveRoute,
  listKeysRoute,
  meRoute,
  revokeKeyRoute,
  signInLinkRoute,
  signInRoute,
  signOutRoute,
  signUpRoute,
} from '#/contract/people.ts';
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from '#/services/people/api-keys.ts';
import { changePassword } from '#/services/people/change-password.ts';
import { createFirstOwner, isFirstRun } from '#/services/people/first-run.ts';
import { createInvitation } from '#/services/people/invitations.ts';
import { leave } from '#/services/people/leave.ts';
import { changeOwnChoices, readOwnChoices } from '#/services/people/own-choices.ts';
import { getPerson, type Person } from '#/services/people/person.ts';
import { type SignedIn, signIn } from '#/services/people/sign-in.ts';
import { redeemSignInLink } from '#/services/people/sign-in-link.ts';
import { signOut } from '#/services/people/sign-out.ts';
import { signUp } from '#/services/people/sign-up.ts';
import type { NoteAllowance } from '#/services/rate-limits/take-allowance.ts';
import type { ApiEnv, ApiOptions, RouteModule } from './api-env.ts';
import { forgetCredentials } from './authenticate.ts';
import { createOnce } from './idempotency.ts';
import { dropSessionCookie, writeSessionCookie } from './session-cookie.ts';

const presentPerson = (person: Person) => ({ ...person, created_at: person.created_at.toISOString() });

const presentKey = (key: ApiKey) => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scopes: key.scopes,
  expires_at: key.expires_at?.toISOString() ?? null,
  last_used_at: key.last_used_at?.toISOString() ?? null,
  revoked_at: key.revoked_at?.toISOString() ?? null,
  created_at: key.created_at.toISOString(),
});

/** A client's own address; null behind a proxy, which has TLS or is on this machine, for then it is the proxy's. */
function addressOf(c: HonoContext<ApiEnv>, options: ApiOptions): string | null {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  const address = incoming?.socket.remoteAddress?.replace(/^::ffff:/, '');
  if (address === undefined || options.base_url.startsWith('https:')) return null;
  return address === '::1' || address.startsWith('127.') ? null : address;
}

/** Ways in and out, invitations and API keys. */
export const peopleRoutes: RouteModule = (api, options) => {
  const signedIn = (c: HonoContext<ApiEnv>, { user, session }: SignedIn) => {
    writeSessionCookie(c, options, session);
    return { user: presentPerson(user) };
  };

  /** For the headers of an answer that a verb counts. */
  const noteFor =
    (c: HonoContext<ApiEnv>): NoteAllowance =>
    (allowance) =>
      c.set('allowance', allowance);

  api.openapi(firstRunStateRoute, async (c) => c.json({ needed: await isFirstRun() }, 200));
  api.openapi(firstRunRoute, async (c) => c.json(signedIn(c, await createFirstOwner(c.req.valid('json'), noteFor(c))), 201));
  api.openapi(signUpRoute, async (c) =>
    c.json(signedIn(c, await signUp(c.req.valid('json'), options.open_sign_up, noteFor(c))), 201),
  );
  api.openapi(signInRoute, async (c) =>
    c.json(signedIn(c, await signIn(c.req.valid('json'), addressOf(c, options), noteFor(c))), 200),
  );
  api.openapi(signInLinkRoute, async (c) => {
    const { path, ...proved } = await redeemSignInLink(c.req.valid('json').token);
    return c.json({ ...signedIn(c, proved), path }, 200);
  });
  api.openapi(signOutRoute, async (c) => {
    await signOut(c.var.credential.id);
    forgetCredentials();
    dropSessionCookie(c, options);
    return c.json({ signed_out: true as const }, 200);
  });
  api.openapi(changePasswordRoute, async (c) => {
    const changed = await changePassword(c.var.ctx, c.req.valid('json'), noteFor(c));
    forgetCredentials();
    return c.json(signedIn(c, changed), 200);
  });
  const told = async (c: HonoContext<ApiEnv>) => {
    const { kind, scopes } = c.var.credential;
    const user = presentPerson(await getPerson(c.var.ctx.user_id));
    return { user, credential: { kind, scopes: [...scopes] }, ...(await readOwnChoices(c.var.ctx)) };
  };
  api.openapi(meRoute, async (c) => c.json(await told(c), 200));
  api.openapi(changeMeRoute, async (c) => {
    await changeOwnChoices(c.var.ctx, c.req.valid('json'));
    return c.json(await told(c), 200);
  });
  api.openapi(leaveRoute, async (c) => {
    await leave(c.var.ctx, c.req.valid('json'), noteFor(c));
    forgetCredentials();
    dropSessionCookie(c, options);
    return c.body(null, 204);
  });
  api.openapi(createInvitationRoute, async (c) => {
    const body = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/invitations',
      request: () => body,
      make: (hooks) => createInvitation(c.var.ctx, body, hooks),
      present: ({ token, expires_at, ...invitation }) => ({
        ...invitation,
        url: token === null ? null : `${options.base_url}/sign-up#${token}&${new URLSearchParams({ email: invitation.email })}`,
        expires_at: expires_at.toISOString(),
      }),
      keep: (told) => ({ ...told, url: null }),
    });
  });
  api.openapi(listKeysRoute, async (c) => {
    const { after, ...place } = c.req.valid('query');
    const { keys, ...page } = await listApiKeys(c.var.ctx, { ...place, after });
    return c.json({ keys: keys.map(presentKey), ...page, ...place }, 200);
  });
  api.openapi(createKeyRoute, async (c) => {
    const body = c.req.valid('json');
    const expires_at = body.expires_at === undefined ? null : new Date(body.expires_at);
    return createOnce(c, {
      route: 'POST /api/keys',
      request: () => body,
      make: (hooks) => createApiKey(c.var.ctx, { ...body, expires_at }, hooks),
      present: (made) => ({ ...presentKey(made), key: made.key }),
      keep: (told) => ({ ...told, key: null }),
    });
  });
  api.openapi(revokeKeyRoute, async (c) => {
    const revoked = await revokeApiKey(c.var.ctx, c.req.valid('param').id);
    forgetCredentials();
    return c.json(presentKey(revoked), 200);
  });
};
