import type { OpenAPIHono } from '@hono/zod-openapi';
import { registerFaults } from '#/contract/declare-route.ts';
import type { ApiEnv } from './api-env.ts';

/** The OpenAPI 3.1 document of all that is registered on the app. */
export function openApiDocument(api: OpenAPIHono<ApiEnv>, base_url: string): Record<string, unknown> {
  return {
    ...api.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'Lowrank', version: '1', description: 'LoRA fine-tuning: datasets, base models, jobs and adapters' },
      servers: [{ url: base_url }],
      security: [{ key: [] }, { session: [] }],
    }),
  };
}

/** What routes refer to by name: the two ways to prove oneself, and the error answers. */
export function registerComponents(api: OpenAPIHono<ApiEnv>, cookie: string): void {
  api.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: lowrank_…; or, where a Supabase project is configured, an access token of it',
  });
  api.openAPIRegistry.registerComponent('securitySchemes', 'session', { type: 'apiKey', in: 'cookie', name: cookie });
  registerFaults(api.openAPIRegistry);
}
