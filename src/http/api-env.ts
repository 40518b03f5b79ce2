import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { Allowance } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import type { AccessTokens } from '#/services/people/access-tokens.ts';

/** What a request proved itself with: for scopes, and for `stillValid` while a stream is open. */
export interface Credential {
  kind: 'session' | 'api_key' | 'access_token';
  /** The row's id, never the secret; of an access token its hash. */
  id: string;
  user_id: string;
  scopes: readonly ('read' | 'write')[];
  /** When an access token is over; null where the database knows. */
  expires_at: Date | null;
}

/** What every handler finds in `c.var`. `ctx` and `credential` are there on every route but the public ones of `authenticate.ts`. */
export interface ApiEnv {
  Variables: {
    ctx: Context;
    credential: Credential;
    request_id: string;
    log: Logger;
    /** The route's declared path, once it is known. */
    template: string | undefined;
    /** Door C's side of a path that two doors share: its words, its errors. */
    wizard: boolean | undefined;
    /** Set where requests of this kind are counted. */
    allowance: Allowance | undefined;
  };
}

/** The one app: every door registers on it with `api.openapi(route, handler)`. */
export type Api = OpenAPIHono<ApiEnv>;

/** What the surroundings decide; tests give their own. */
export interface ApiOptions {
  log: Logger;
  /** Where the browser sees us, e.g. http://127.0.0.1:3000: links and cookies follow it. */
  base_url: string;
  /** Host header values (with port where it is not the scheme's own) that are answered. */
  allowed_hosts: string[];
  /** Origins whose pages may read our answers, with a key. */
  allowed_origins: string[];
  open_sign_up: boolean;
  /** Judges a Supabase project's access tokens; null where none are taken. */
  access_tokens: AccessTokens | null;
  /** Milliseconds from a request's head to the last byte of its JSON body. */
  body_timeout_ms: number;
  /** Signs session cookies; see `services/settings/session-secret.ts`. */
  auth_secret: string;
}

/** One resource's routes. They are all behind authentication: handlers read `c.var.ctx` and call a verb. */
export type RouteModule = (api: Api, options: ApiOptions) => void;
