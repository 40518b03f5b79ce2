import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import { AppError } from '#/domain/app-error.ts';
import { changesState, refusedHost, refusedOrigin, refusedPath } from './addresses.ts';
import type { ApiEnv, ApiOptions } from './api-env.ts';
import { authenticate } from './authenticate.ts';
import { preflight } from './cors.ts';
import { errorResponse } from './error-response.ts';
import { speaksDoorC } from './job-door-c.ts';
import { PUBLIC_ROUTES } from './public-routes.ts';
import { limitRate } from './rate-limit.ts';
import { checkQuery, readBody } from './request-body.ts';
import type { KnownRoute, RouteTable } from './route-table.ts';
import { hasSessionCookie } from './session-cookie.ts';

const hostOf = (c: HonoContext<ApiEnv>): string => (c.req.header('host') ?? new URL(c.req.url).host).toLowerCase();

function refuseAddress(c: HonoContext<ApiEnv>, options: ApiOptions): void {
  const host = hostOf(c);
  const refused =
    refusedHost(options.allowed_hosts, host) ??
    refusedPath(c.req.path) ??
    refusedOrigin(options.base_url, {
      method: c.req.method,
      host,
      headers: c.req.raw.headers,
      cookie: hasSessionCookie(c, options),
      bearer: c.req.header('authorization') !== undefined,
    });
  if (refused !== null) throw refused;
}

function checkCredential(c: HonoContext<ApiEnv>, route: KnownRoute): void {
  const { kind } = c.var.credential;
  if (route.session_only && kind !== 'session' && !(kind === 'access_token' && route.takes_access_tokens)) {
    throw new AppError(
      'session_required',
      'No API key or access token may do this: sign in to the studio in a browser and do it there',
    );
  }
  const scope = changesState(c.req.method) ? 'write' : 'read';
  if (c.var.credential.scopes.includes(scope)) return;
  throw new AppError('insufficient_scope', `This API key may not ${scope}: use one with the scope ${scope}`);
}

/** The answer for a path or method that no route has. */
function refuseUnknown(c: HonoContext<ApiEnv>, methods: string[]): Response {
  const { request_id, log } = c.var;
  const request = { path: c.req.path, wizard: c.var.wizard, request_id, log };
  if (methods.length === 0) return errorResponse(new AppError('not_found', 'There is nothing at this path'), request);
  const error = new AppError('method_not_allowed', `This path takes ${methods.join(', ')}`);
  return errorResponse(error, request, { Allow: methods.join(', ') });
}

const isPublic = (route: KnownRoute): boolean => PUBLIC_ROUTES.has(`${route.method} ${route.template}`);

/** Whether all that a path takes is public: then what it does not take is told to anybody, too. */
function isPublicPath(table: RouteTable, path: string): boolean {
  const known = table.methodsOf(path).flatMap((method) => table.find(method, path) ?? []);
  return known.length > 0 && known.every(isPublic);
}

/**
 * Has a submission refused in the words of its body's door: who sends it is known by then, so that it may be looked at. What is
 * wrong with the body itself is not why it is refused.
 */
async function inWordsOfBody(
  c: HonoContext<ApiEnv>,
  route: KnownRoute,
  timeout_ms: number,
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    const told_by_body = route.method === 'POST' && route.template === '/api/jobs' && c.var.wizard !== true;
    if (told_by_body) c.set('wizard', speaksDoorC(c, await readBody(c, route, timeout_ms).catch(() => undefined)));
    throw error;
  }
}

/**
 * What every request passes before a handler: address, origin, who asks (default: nobody may), known route, kind and
 * scope of the credential, rate, query and body. `table` is asked late, for routes are registered after the gate.
 */
export function gate(options: ApiOptions, table: () => RouteTable): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    // By path and view, until there is a body to tell it by: who is refused before that is told in their door's words, too.
    c.set('wizard', speaksDoorC(c, undefined));
    refuseAddress(c, options);
    const { method, path } = c.req;
    if (method === 'OPTIONS') {
      const methods = table().methodsOf(path);
      const shared = preflight(options.allowed_origins, c.req.header('origin'), methods);
      return c.body(null, 204, { Allow: [...methods, 'OPTIONS'].join(', '), ...Object.fromEntries(shared) });
    }
    const route: KnownRoute | undefined = table().find(method === 'HEAD' ? 'GET' : method, path);
    c.set('template', route?.template);
    const is_public = route === undefined ? isPublicPath(table(), path) : isPublic(route);
    if (!is_public) await authenticate(c, options);
    if (route === undefined || (method === 'HEAD' && route.is_event_stream)) return refuseUnknown(c, table().methodsOf(path));
    await inWordsOfBody(c, route, options.body_timeout_ms, async () => {
      if (!is_public) {
        checkCredential(c, route);
        await limitRate(c, route);
      }
      checkQuery(c, route);
    });
    c.set('wizard', speaksDoorC(c, await readBody(c, route, options.body_timeout_ms)));
    await next();
  };
}
