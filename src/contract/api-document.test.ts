import type { RouteConfig } from '@hono/zod-openapi';
import { beforeAll, expect, test } from 'vitest';
import type { ZodType } from 'zod';
import { bareDocument, declaredRoutes } from '../../scripts/make-api-types.ts';
import { type ApiDocument, finishDocument, TAGS } from './api-document.ts';
import { ErrorEnvelope } from './common.ts';
import type { TrainingEstimate } from './estimates.ts';
import { STATUS_OF } from './fault-codes.ts';

let routes: RouteConfig[];
let document: ApiDocument;
beforeAll(async () => {
  routes = await declaredRoutes();
  document = finishDocument((await bareDocument()) as unknown as ApiDocument);
});

const nameOf = (route: RouteConfig) => `${route.method} ${route.path}`;
const operationOf = (route: RouteConfig) => {
  const operation = document.paths[route.path]?.[route.method];
  if (operation === undefined) throw new Error(`the document lacks ${nameOf(route)}`);
  return operation;
};
const isZod = (schema: unknown): schema is ZodType => typeof schema === 'object' && schema !== null && 'safeParse' in schema;
type Content = Record<string, { schema: unknown }>;

/** What an example breaks of its schema: nothing. A schema that is no Zod's (a stream of bytes) is not read. */
const broken = (schema: unknown, example: unknown): unknown =>
  isZod(schema) ? (schema.safeParse(example).error?.issues ?? null) : null;

test('every request body has an example that its own schema takes', () => {
  let seen = 0;
  for (const route of routes) {
    for (const [type, { schema }] of Object.entries((route.request?.body?.content ?? {}) as Content)) {
      const example = operationOf(route).requestBody?.content[type]?.example;
      expect([nameOf(route), type, example]).toEqual([nameOf(route), type, expect.anything()]);
      expect([nameOf(route), example, broken(schema, example)]).toEqual([nameOf(route), example, null]);
      seen++;
    }
  }
  expect(seen).toBeGreaterThan(25);
});

test('every parameter has an example that its own schema takes, and all of them together', () => {
  let seen = 0;
  for (const route of routes) {
    const { parameters = [] } = operationOf(route);
    for (const { name, example } of parameters) {
      expect([nameOf(route), name, example]).toEqual([nameOf(route), name, expect.anything()]);
      seen++;
    }
    for (const part of ['params', 'query', 'headers'] as const) {
      const schema = route.request?.[part];
      if (!isZod(schema)) continue;
      const place = { params: 'path', query: 'query', headers: 'header' }[part];
      const sent = parameters.filter((parameter) => parameter.in === place);
      const asked = Object.fromEntries(sent.map(({ name, example }) => [name, String(example)]));
      expect([nameOf(route), asked, broken(schema, asked)]).toEqual([nameOf(route), asked, null]);
    }
  }
  expect(seen).toBeGreaterThan(100);
});

test('every answer has an example that is whole by its own schema', () => {
  let seen = 0;
  for (const route of routes) {
    for (const [status, answer] of Object.entries(route.responses)) {
      for (const [type, { schema }] of Object.entries(('content' in answer ? answer.content : {}) as Content)) {
        const example = operationOf(route).responses[status]?.content?.[type]?.example;
        expect([nameOf(route), status, example]).toEqual([nameOf(route), status, expect.anything()]);
        expect([nameOf(route), status, example, broken(schema, example)]).toEqual([nameOf(route), status, example, null]);
        // What a schema does not know it would drop: the example has nothing of the kind.
        if (isZod(schema) && type === 'application/json') expect(schema.parse(example)).toEqual(example);
        seen++;
      }
    }
  }
  expect(seen).toBeGreaterThan(60);
});

/** Every value of a document's examples that is no list and no object, with its way from the top. */
function* leaves(value: unknown, way = ''): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) yield [way, value];
  else for (const [name, inner] of Object.entries(value)) yield* leaves(inner, `${way}.${name}`);
}
const answerOf = (method: string, path: string, status: string) =>
  document.paths[path]?.[method]?.responses[status]?.content?.['application/json']?.example;

test('no answer is filled with words that say nothing', () => {
  const filled: string[] = [];
  for (const route of routes) {
    for (const [status, { content = {} }] of Object.entries(operationOf(route).responses))
      if (Number(status) < 400)
        for (const [way, value] of leaves(content['application/json']?.example))
          if (value === 'text' && !/\.(modality|modalities\.\d)$/.test(way)) filled.push(`${nameOf(route)} ${way}`);
  }
  expect(filled).toEqual([]);
});

test('the figures of an answer’s parts make its sums', () => {
  const { data } = answerOf('post', '/api/jobs/estimate', '200') as { data: TrainingEstimate };
  const { cost_breakdown: cost, duration_breakdown: hours, training_details: details } = data;
  expect(data.estimated_cost).toBeCloseTo(cost.compute + cost.storage, 6);
  expect(data.estimated_duration_hours).toBeCloseTo(hours.training_hours + hours.overhead_hours, 5);
  expect(cost.compute).toBeCloseTo(data.estimated_duration_hours * data.hourly_rate, 2);
  expect(cost.storage).toBeGreaterThan(0);
  expect(details.estimated_tokens / details.estimated_throughput_tokens_per_sec / 3600).toBeCloseTo(hours.training_hours, 5);
  type Sum = { amount: number; compute: { hours: number; amount: number }; storage: { amount: number } };
  const costs = answerOf('get', '/api/costs', '200') as { costs: Sum[]; amount: number };
  for (const { amount, compute, storage } of costs.costs) expect(amount).toBeCloseTo(compute.amount + storage.amount, 6);
  expect(costs.amount).toBeCloseTo(
    costs.costs.reduce((sum, { amount }) => sum + amount, 0),
    6,
  );
});

test('every code of every route stands at its status with an envelope as an example', () => {
  const examples = document.components.examples ?? {};
  for (const route of routes) {
    const codes = (route as { 'x-faults'?: (keyof typeof STATUS_OF)[] })['x-faults'] ?? [];
    expect([nameOf(route), codes.length > 5]).toEqual([nameOf(route), true]);
    const told: string[] = [];
    for (const [status, answer] of Object.entries(operationOf(route).responses)) {
      if (Number(status) < 400 || 'content' in (route.responses[status] ?? {})) continue;
      const shown = Object.entries(answer.content?.['application/json']?.examples ?? {});
      expect([nameOf(route), status, shown.length > 0]).toEqual([nameOf(route), status, true]);
      for (const [code, { $ref }] of shown) {
        const value = examples[$ref.replace('#/components/examples/', '')]?.value;
        expect(ErrorEnvelope.parse(value)).toMatchObject({ code });
        expect(STATUS_OF[code as keyof typeof STATUS_OF]).toBe(Number(status));
        told.push(code);
      }
    }
    const apart = codes.filter((code) => !('content' in (route.responses[STATUS_OF[code]] ?? {})));
    expect([nameOf(route), told.sort()]).toEqual([nameOf(route), apart.sort()]);
  }
});

test('every operation has a tag that is explained, one line of summary and a name of its own', () => {
  const used = new Set<string>();
  const names = new Set<string>();
  for (const route of routes) {
    const { tags = [], summary = '' } = route;
    for (const tag of tags) used.add(tag);
    expect([nameOf(route), tags.length, tags.filter((tag) => !(tag in TAGS))]).toEqual([nameOf(route), 1, []]);
    expect([nameOf(route), summary]).toEqual([nameOf(route), expect.stringMatching(/^[^\n]{5,140}[^.\n]$/)]);
    names.add(operationOf(route).operationId ?? '');
  }
  expect([...used].sort()).toEqual(Object.keys(TAGS).sort());
  expect(names.size).toBe(routes.length);
});

test('every pattern is one that any reader of JSON Schema can read', () => {
  const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) =>
    JSON.parse(text),
  );
  expect(patterns.length).toBeGreaterThan(10);
  for (const pattern of patterns) {
    expect(pattern).toMatch(/^\^/);
    expect(pattern).not.toMatch(/\$\/|\\p\{/);
    expect(() => new RegExp(pattern, 'u')).not.toThrow();
  }
});
