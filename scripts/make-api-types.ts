/** Writes `src/contract/api.gen.ts`: the client's types of every declared route. Run as `node scripts/make-api-types.ts`. */
import { readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import openapiTS, { astToString } from 'openapi-typescript';
import { API_TITLE, API_VERSION } from '#/contract/api-document.ts';
import { registerFaults } from '#/contract/declare-route.ts';

const CONTRACT = resolve(import.meta.dirname, '../src/contract');
export const API_TYPES_FILE = join(CONTRACT, 'api.gen.ts');

const HEAD = '// Made from the route declarations of this folder by scripts/make-api-types.ts. Do not edit.\n\n';

function isRoute(value: unknown): value is RouteConfig {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'responses' in value;
}

/** Every route that a file of `src/contract/` exports, by path and method, so that the output does not depend on file order. */
export async function declaredRoutes(): Promise<RouteConfig[]> {
  const files = (await readdir(CONTRACT)).filter((name) => /^[a-z-]+\.ts$/.test(name));
  const modules: Record<string, unknown>[] = await Promise.all(
    files.map((name) => import(pathToFileURL(join(CONTRACT, name)).href)),
  );
  const routes = modules.flatMap((exports) => Object.values(exports)).filter(isRoute);
  const key = (route: RouteConfig) => `${route.path} ${route.method}`;
  return [...new Map(routes.map((route) => [key(route), route])).values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The document of every declared route, before it is finished: refusals are referred to by name, as types want them. */
export async function bareDocument() {
  const app = new OpenAPIHono();
  registerFaults(app.openAPIRegistry);
  for (const route of await declaredRoutes()) app.openAPIRegistry.registerPath(route);
  return app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: API_TITLE, version: API_VERSION } });
}

/** The text that `api.gen.ts` must have. */
export async function apiTypes(): Promise<string> {
  const document = await bareDocument();
  return HEAD + astToString(await openapiTS(JSON.stringify(document), { alphabetize: true, defaultNonNullable: false }));
}

if (import.meta.main) await writeFile(API_TYPES_FILE, await apiTypes());
