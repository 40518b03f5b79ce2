/** Access tokens of a Supabase project, and an app that takes them. */
import { type JWTPayload, SignJWT } from 'jose';
import { beforeAll, beforeEach } from 'vitest';
import type { TokenRules } from '#/env.ts';
import type { Api } from '#/http/api-env.ts';
import { forgetCredentials } from '#/http/authenticate.ts';
import { accessTokens } from '#/services/people/access-tokens.ts';
import { makeApi } from './api.ts';
import { useDatabase } from './database.ts';

export const db = useDatabase();
export const ISSUER = 'https://project.supabase.test/auth/v1';
export const SECRET = 'a legacy secret of forty characters or so';
export const rules = (key: TokenRules['key']): TokenRules => ({ issuer: ISSUER, audience: 'authenticated', key });
export const HS256 = rules({ algorithm: 'HS256', secret: SECRET });
export const secretOf = (text: string) => new TextEncoder().encode(text);

export const now = () => Math.floor(Date.now() / 1000);
export const claimsOf = (sub: string | undefined, more: JWTPayload = {}): JWTPayload => ({
  ...(sub !== undefined && { sub }),
  iss: ISSUER,
  aud: 'authenticated',
  role: 'authenticated',
  email: 'ada@example.org',
  iat: now() - 10,
  exp: now() + 3600,
  ...more,
});
export const signed = (claims: JWTPayload, secret = SECRET) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secretOf(secret));

export const api: { request: Api['request'] } = { request: () => Promise.reject(new Error('inside a test')) };
export const ask = async (token: string, path = '/api/me', on: Pick<Api, 'request'> = api) => {
  const answer = await on.request(path, { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> & { code?: string; error?: string } };
};

beforeAll(() => {
  api.request = makeApi({ access_tokens: accessTokens(HS256) }).request;
});
beforeEach(() => forgetCredentials());
