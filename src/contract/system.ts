import { z } from '@hono/zod-openapi';
import { declareRoute } from './declare-route.ts';

export const healthRoute = declareRoute({
  method: 'get',
  path: '/api/health',
  tags: ['system'],
  summary: 'The web process lives; asks nothing else',
  security: [],
  responses: {
    200: { description: 'Alive', content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } } },
  },
});

export const readyRoute = declareRoute({
  method: 'get',
  path: '/api/ready',
  tags: ['system'],
  summary: 'The database answers and has the migrations of this version: all of them and no newer ones',
  security: [],
  responses: {
    200: { description: 'Ready', content: { 'application/json': { schema: z.object({ status: z.literal('ready') }) } } },
  },
});

export const openApiRoute = declareRoute({
  method: 'get',
  path: '/openapi.json',
  tags: ['system'],
  summary: 'This document',
  responses: {
    200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } } },
  },
});

export const metricsRoute = declareRoute({
  method: 'get',
  path: '/metrics',
  tags: ['system'],
  summary:
    'Figures for Prometheus (administrators): requests of this process, jobs, queue, devices, storage, webhooks, transfers',
  responses: {
    200: { description: 'The text format of Prometheus', content: { 'text/plain': { schema: z.string() } } },
  },
  faults: [403],
});
