import type { OpenAPIHono } from '@hono/zod-openapi';
import { API_DESCRIPTION, API_TITLE, API_VERSION, type ApiDocument, finishDocument } from '#/contract/api-document.ts';
import { registerFaults } from '#/contract/declare-route.ts';
import type { ApiEnv } from './api-env.ts';

/** The OpenAPI 3.1 document of all that is registered on the app. */
export function openApiDocument(api: OpenAPIHono<ApiEnv>, base_url: string): ApiDocument {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: API_TITLE, version: API_VERSION, description: API_DESCRIPTION },
    servers: [{ url: base_url }],
    security: [{ key: [] }, { session: [] }],
  });
  // Answers and patterns are filled in: what the registry holds stays as it is declared.
  return finishDocument(structuredClone(document) as unknown as ApiDocument);
}

/** What routes refer to by name: the ways to prove oneself, and the error answers. */
export function registerComponents(api: OpenAPIHono<ApiEnv>, cookie: string): void {
  api.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: lowrank_…; or, where a Supabase project is configured, an access token of it',
  });
  api.openAPIRegistry.registerComponent('securitySchemes', 'access_token', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of the Supabase project that is configured, where an API key is not enough',
  });
  api.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: cookie,
    description: 'The cookie of a person who signed in; changes come from the studio’s own pages',
  });
  registerFaults(api.openAPIRegistry);
}
