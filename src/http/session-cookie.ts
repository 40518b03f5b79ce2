import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context as HonoContext } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { ApiEnv, ApiOptions } from './api-env.ts';

type Signing = Pick<ApiOptions, 'base_url' | 'auth_secret'>;

const isSecure = (options: Signing): boolean => options.base_url.startsWith('https:');

/** The cookie's name. Over https the name itself makes browsers insist: Secure, no Domain, Path=/. */
export const sessionCookieName = (options: Signing): string => (isSecure(options) ? '__Host-lowrank.session' : 'lowrank.session');

const signature = (options: Signing, token: string): Buffer => createHmac('sha256', options.auth_secret).update(token).digest();

export function hasSessionCookie(c: HonoContext<ApiEnv>, options: Signing): boolean {
  return getCookie(c, sessionCookieName(options)) !== undefined;
}

/** The session token of a cookie that we signed; null for none and for any other. */
export function readSessionCookie(c: HonoContext<ApiEnv>, options: Signing): string | null {
  const [token, signed, ...rest] = (getCookie(c, sessionCookieName(options)) ?? '').split('.');
  if (token === undefined || signed === undefined || rest.length > 0) return null;
  const expected = signature(options, token);
  const given = Buffer.from(signed, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected) ? token : null;
}

/** Hands the browser a session. The signature makes a token that leaked from the database useless without our secret. */
export function writeSessionCookie(c: HonoContext<ApiEnv>, options: Signing, session: { token: string; expires_at: Date }): void {
  setCookie(c, sessionCookieName(options), `${session.token}.${signature(options, session.token).toString('base64url')}`, {
    ...attributes(options),
    expires: session.expires_at,
  });
}

export function dropSessionCookie(c: HonoContext<ApiEnv>, options: Signing): void {
  setCookie(c, sessionCookieName(options), '', { ...attributes(options), maxAge: 0 });
}

function attributes(options: Signing) {
  return { path: '/', httpOnly: true, sameSite: 'Lax' as const, secure: isSecure(options) };
}
