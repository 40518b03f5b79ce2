// Properties of every schema that crosses the wire, found by walking the routes: a new route is in them by being declared.
import type { RouteConfig } from '@hono/zod-openapi';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { ZodError, type ZodType } from 'zod';
import { bareDocument, declaredRoutes } from '../../scripts/make-api-types.ts';
import { valuesOf } from '../../test/json-schema-values.ts';
import { type ApiDocument, finishDocument } from './api-document.ts';
import type { JsonSchema } from './examples.ts';

const SEED = 20261122;
const isZod = (schema: unknown): schema is ZodType => typeof schema === 'object' && schema !== null && 'safeParse' in schema;
type Content = Record<string, { schema: unknown }>;

interface Known {
  name: string;
  schema: ZodType;
  /** The same in the document. */
  told: JsonSchema;
  kind: 'body' | 'answer' | 'text';
}

let document: ApiDocument;
let known: Known[];
beforeAll(async () => {
  document = finishDocument((await bareDocument()) as unknown as ApiDocument);
  known = (await declaredRoutes()).flatMap(schemasOf);
});

function schemasOf(route: RouteConfig): Known[] {
  const operation = document.paths[route.path]?.[route.method];
  const name = `${route.method} ${route.path}`;
  const found: Known[] = [];
  const add = (kind: Known['kind'], what: string, schema: unknown, told: JsonSchema | undefined) => {
    if (isZod(schema) && told !== undefined) found.push({ name: `${name} ${what}`, schema, told, kind });
  };
  for (const [type, { schema }] of Object.entries((route.request?.body?.content ?? {}) as Content))
    add('body', 'body', schema, operation?.requestBody?.content[type]?.schema);
  for (const [status, answer] of Object.entries(route.responses))
    for (const [type, { schema }] of Object.entries(('content' in answer ? answer.content : {}) as Content))
      if (type === 'application/json') add('answer', status, schema, operation?.responses[status]?.content?.[type]?.schema);
  for (const [part, place] of [
    ['params', 'path'],
    ['query', 'query'],
    ['headers', 'header'],
  ] as const) {
    const sent = (operation?.parameters ?? []).filter((parameter) => parameter.in === place);
    const properties = Object.fromEntries(sent.map((parameter) => [parameter.name, parameter.schema ?? {}]));
    const required = sent.filter((parameter) => parameter.required === true).map((parameter) => parameter.name);
    add('text', part, route.request?.[part], { type: 'object', properties, required, additionalProperties: false });
  }
  return found;
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const asText = (value: unknown) =>
  Object.fromEntries(
    Object.entries(value as object).flatMap(([name, inner]) => (inner === undefined ? [] : [[name, String(inner)]])),
  );

test('there are as many as the routes have', () => {
  const count = (kind: Known['kind']) => known.filter((one) => one.kind === kind).length;
  expect(count('body')).toBeGreaterThan(25);
  expect(count('answer')).toBeGreaterThan(60);
  expect(count('text')).toBeGreaterThan(60);
});

describe('every schema', () => {
  test('answers any JSON with a value or with its issues, and throws nothing', () => {
    const wild = fc.oneof(
      fc.jsonValue(),
      fc.object({ maxDepth: 3 }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, undefined),
    );
    for (const { name, schema } of known)
      fc.assert(
        fc.property(wild, (value) => {
          const parsed = schema.safeParse(value);
          if (!parsed.success) expect([name, parsed.error]).toEqual([name, expect.any(ZodError)]);
        }),
        { seed: SEED, numRuns: 30 },
      );
  });

  test('does so as well where one field of a good value is replaced by anything', () => {
    for (const { name, schema, told, kind } of known) {
      if (kind === 'answer') continue;
      fc.assert(
        fc.property(valuesOf(told, document.components.schemas), fc.jsonValue(), fc.nat(), (value, other, at) => {
          if (typeof value !== 'object' || value === null) return;
          const fields = Object.keys(value);
          const field = fields[at % Math.max(1, fields.length)] ?? 'x';
          const parsed = schema.safeParse({ ...value, [field]: other });
          if (!parsed.success) expect([name, parsed.error.issues.length > 0]).toEqual([name, true]);
        }),
        { seed: SEED, numRuns: 30 },
      );
    }
  });

  test('of a request takes what the document calls good, but for rules of its own that JSON Schema has no words for', () => {
    for (const { name, schema, told, kind } of known) {
      if (kind === 'answer') continue;
      let taken = 0;
      fc.assert(
        fc.property(valuesOf(told, document.components.schemas), (value) => {
          const parsed = schema.safeParse(kind === 'text' ? asText(value) : value);
          if (parsed.success) taken++;
          else {
            const others = parsed.error.issues.filter(
              (issue) => !['custom', 'invalid_union'].includes(issue.code) && !isOfText(issue, value),
            );
            expect([name, value, others]).toEqual([name, value, []]);
          }
        }),
        { seed: SEED, numRuns: 40 },
      );
      expect([name, taken > 0]).toEqual([name, true]);
    }
  });

  test('keeps what it took: as JSON and back it is taken again, and is the same', () => {
    for (const { name, schema, told, kind } of known) {
      if (kind === 'text') continue;
      fc.assert(
        fc.property(valuesOf(told, document.components.schemas), (value) => {
          const first = schema.safeParse(asJson(value));
          if (!first.success) return;
          const again = schema.safeParse(asJson(first.data));
          expect([name, again.error?.issues, again.data]).toEqual([name, undefined, first.data]);
        }),
        { seed: SEED, numRuns: 25 },
      );
    }
  });
});

/** Names are trimmed before they are measured, and have no characters of a plane that the document's patterns leave out. */
function isOfText({ code, path }: { code: string; path: PropertyKey[] }, value: unknown): boolean {
  const at = path.reduce((inner: unknown, name) => (inner as Record<PropertyKey, unknown> | undefined)?.[name], value);
  return typeof at === 'string' ? code === 'too_small' || code === 'invalid_format' : code === 'invalid_key';
}
