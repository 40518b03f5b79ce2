import { randomUUID } from 'node:crypto';
import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { redact } from '#/domain/describe-error.ts';
import type { Api, ApiEnv, ApiOptions } from './api-env.ts';
import { sharedWith } from './cors.ts';
import { errorResponse } from './error-response.ts';
import { gate } from './gate.ts';
import { type Metrics, makeMetrics } from './metrics.ts';
import { metricsRoutes } from './metrics-routes.ts';
import { registerComponents } from './openapi.ts';
import { allowanceHeaders } from './rate-limit.ts';
import { type RouteTable, routeTable } from './route-table.ts';
import { ROUTES } from './routes.ts';
import { apiHeaders } from './security-headers.ts';
import { sessionCookieName } from './session-cookie.ts';
import { brokenRules, predicateOf } from './violations.ts';

/** Names every request, dresses every answer, counts it and writes one line about it. */
function frame(options: ApiOptions, metrics: Metrics): MiddlewareHandler<ApiEnv> {
  const headers = Object.entries(apiHeaders(options.base_url));
  return async (c, next) => {
    const began = performance.now();
    const request_id = `req_${randomUUID()}`;
    const log = options.log.child({ request_id });
    c.set('request_id', request_id);
    c.set('log', log);
    await next();
    for (const [name, value] of headers) c.res.headers.set(name, value);
    for (const [name, value] of sharedWith(options.allowed_origins, c.req.header('origin'))) c.res.headers.append(name, value);
    if (c.var.allowance !== undefined) {
      for (const [name, value] of allowanceHeaders(c.var.allowance)) c.res.headers.set(name, value);
    }
    c.res.headers.set('X-Request-Id', request_id);
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
    // A token in a path is a secret: then the log has the path as declared.
    const path = c.var.template?.includes('{token}') ? c.var.template : redact(c.req.path);
    const ms = performance.now() - began;
    const line = { method: c.req.method, path, status: c.res.status, ms: Math.round(ms) };
    metrics.observe({ method: c.req.method, template: c.var.template, status: c.res.status, seconds: ms / 1000 });
    log[c.req.method === 'GET' && c.res.status < 400 ? 'debug' : 'info'](line, 'request');
  };
}

/** Makes the one app that answers everything but pages. Every declared route is behind the gate; see `public-routes.ts`. */
export function createApi(options: ApiOptions): Api {
  z.config({ customError: predicateOf });
  const api: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw brokenRules(result.error.issues, result.target);
    },
  });
  let table: RouteTable | undefined;
  const routes = () => {
    table ??= routeTable(api.openAPIRegistry.definitions);
    return table;
  };
  api.onError((error, c) =>
    errorResponse(error, { path: c.req.path, wizard: c.var.wizard, request_id: c.var.request_id, log: c.var.log }),
  );
  const metrics = makeMetrics();
  api.use('*', frame(options, metrics));
  api.use('*', gate(options, routes));
  for (const register of [...ROUTES, metricsRoutes(metrics)]) register(api, options);
  registerComponents(api, sessionCookieName(options));
  return api;
}
