import { OpenAPIHono } from '@hono/zod-openapi';
import type { Api, ApiEnv, ApiOptions } from './api-env.ts';
import { ROUTES } from './routes.ts';

/** Makes the one app that answers everything but pages. */
export function createApi(options: ApiOptions): Api {
  const api: Api = new OpenAPIHono<ApiEnv>();
  for (const register of ROUTES) register(api, options);
  return api;
}
