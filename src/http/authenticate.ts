import type { Context as HonoContext } from 'hono';
import { AppError } from '#/domain/app-error.ts';
import { isAccessToken } from '#/services/people/access-tokens.ts';
import { isWellFormedApiKey } from '#/services/people/api-key-format.ts';
import {
  isCredentialLive,
  type ResolvedCredential,
  resolveApiKey,
  resolveSession,
} from '#/services/people/resolve-credential.ts';
import type { ApiEnv, ApiOptions, Credential } from './api-env.ts';
import { readSessionCookie } from './session-cookie.ts';

/** How long an answer of the database about a credential is believed: the promise is that a revoked one stops within 5 s. */
const BELIEVED_MS = 4_000;
const BELIEVED_MAX = 10_000;

interface Believed<T> {
  value: T;
  at: number;
}
const resolved = new Map<string, Believed<ResolvedCredential>>();
const live = new Map<string, Believed<boolean>>();

async function believe<T>(
  cache: Map<string, Believed<T>>,
  key: string,
  ask: () => Promise<T>,
  keep: (value: T) => boolean,
): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined && performance.now() - known.at < BELIEVED_MS) return known.value;
  const at = performance.now();
  const value = await ask();
  cache.delete(key);
  if (cache.size >= BELIEVED_MAX) cache.clear();
  if (keep(value)) cache.set(key, { value, at });
  return value;
}

/** Forgets what was believed: after a sign-out, a revocation or a password change in this process it is over at once. */
export function forgetCredentials(): void {
  resolved.clear();
  live.clear();
}

/** Says if the credential of an open stream still is good. Asks the database at most every few seconds a credential. */
export function stillValid(credential: Credential): Promise<boolean> {
  return believe(
    live,
    credential.id,
    () => isCredentialLive(credential),
    () => true,
  );
}

const unauthenticated = (message: string) => new AppError('unauthenticated', message);

/** Who sends an Authorization header: null without one. Anything but one well-formed Bearer key or access token is refused unasked. */
async function resolveBearer(header: string | undefined, options: ApiOptions): Promise<ResolvedCredential | null> {
  if (header === undefined) return null;
  const sent = /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
  const { access_tokens } = options;
  if (access_tokens !== null && isAccessToken(sent)) {
    const found = await believe(
      resolved,
      sent,
      () => access_tokens.resolve(sent),
      () => true,
    );
    if (found.expires_at !== null && found.expires_at.getTime() > Date.now()) return found;
    throw unauthenticated('This access token has expired: refresh it and try again');
  }
  if (!isWellFormedApiKey(sent))
    throw unauthenticated('The Authorization header does not hold a valid API key: send Authorization: Bearer lowrank_…');
  const found = await believe(
    resolved,
    sent,
    () => resolveApiKey(sent),
    (key) => key !== null,
  );
  if (found !== null) return found;
  throw unauthenticated('This API key is unknown, revoked or expired: make a new one in the settings');
}

/**
 * Finds out who asks, by session cookie, API key or access token, and sets `c.var.ctx` and `c.var.credential`. Throws
 * `unauthenticated`, `identity_unavailable` and, for a cookie and a key of two people, `ambiguous_credentials`.
 */
export async function authenticate(c: HonoContext<ApiEnv>, options: ApiOptions): Promise<void> {
  const by_key = await resolveBearer(c.req.header('authorization'), options);
  const token = readSessionCookie(c, options);
  const by_session =
    token === null
      ? null
      : await believe(
          resolved,
          token,
          () => resolveSession(token),
          (found) => found !== null,
        );
  if (by_key !== null && by_session !== null && by_key.user_id !== by_session.user_id) {
    throw new AppError('ambiguous_credentials', 'The cookie and the API key belong to two people: send only one of them');
  }
  const who = by_key ?? by_session;
  if (who === null) throw unauthenticated('Sign in, or send an API key as Authorization: Bearer lowrank_…');
  const { role, ...credential } = who;
  c.set('ctx', { user_id: who.user_id, role });
  c.set('credential', credential);
}
