/** What is said of the API beside its routes, and the document as its readers get it: every example and every code in its place. */
import type { AppErrorCode } from '#/domain/app-error.ts';
import { exampleOf, type JsonSchema } from './examples.ts';
import { isDoorB, STATUS_OF } from './fault-codes.ts';
import { faultExample } from './fault-examples.ts';

export const API_TITLE = 'Lowrank';
export const API_VERSION = '1';

export const API_DESCRIPTION = `LoRA fine-tuning on one's own machines: datasets, base models, jobs and adapters.

**Three doors.** A training can be asked for in three dialects. Each leads to the same job, plan and queue, and each job can be looked at through every door.

- **Door A**, \`/api/training\`: the shortest way. It counts in steps and names a model of the Hub; the answer waits for the launch.
- **Door B**, \`/api/jobs\`: configuration pages. Presets, epochs and an estimate. Answers stand in \`{ success, data }\`; in its errors \`details\` is one sentence and the rows are in \`violations\`.
- **Door C**: setup wizards. Base models, datasets, recipes, experiments and the activity feed as plain objects; lists take \`limit\`, \`offset\` or a cursor.

**Who asks.** A session cookie, or an API key as \`Authorization: Bearer lowrank_…\` with the scopes \`read\` and \`write\`. Everybody sees their own rows and nothing else: what belongs to somebody else is not found (at door A it is a 403).

**Errors** are one envelope: \`error\` and \`message\` (the same sentence), \`code\` (from a closed list), \`details\` (one row a broken rule), \`request_id\`. Unknown fields and parameters are refused by name.

**Safe repetition.** A POST that makes something takes an \`Idempotency-Key\`: the same request makes one thing and gets the same answer for 24 hours.`;

/** What the operations are sorted by. */
export const TAGS: Readonly<Record<string, string>> = {
  training: 'Door A: trainings by steps, with a model of the Hub',
  jobs: 'Door B: trainings by epochs and preset; every job’s curve, log, events and verbs',
  'base models': 'Door C: the registry of base models, which all users share',
  datasets: 'Door C: upload, check, describe and delete datasets',
  recipes: 'Door C: training styles that are built in, and templates of one’s own',
  experiments: 'Door C: submissions with everything that was tried again of them',
  activity: 'Door C: what happened to one’s own things',
  artifacts: 'Adapters and what else is worth keeping of a job',
  transfers: 'Imports of models and datasets of the Hub',
  projects: 'One’s own folders of datasets and experiments',
  notifications: 'What one should know of',
  webhooks: 'Signed calls to receivers of one’s own',
  costs: 'What trainings cost',
  accuracy: 'How well what was foretold of trainings held',
  gpus: 'The catalogue that trainings are priced on',
  settings: 'What administrators decide for everybody',
  people: 'Signing in, API keys, members and invitations',
  system: 'The process itself',
};

/** A body in one media type. */
export interface Media {
  schema?: JsonSchema;
  example?: unknown;
  examples?: Record<string, { $ref: string }>;
}
interface Answer {
  $ref?: string;
  description?: string;
  content?: Record<string, Media>;
  headers?: Record<string, JsonSchema>;
}
/** One method of one path. */
export interface Operation {
  operationId?: string;
  tags?: string[];
  summary?: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: JsonSchema; example?: unknown }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Answer>;
  'x-faults'?: AppErrorCode[];
}
/** The part of an OpenAPI document that is worked on here. */
export interface ApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  tags?: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, JsonSchema>;
    responses?: Record<string, Answer>;
    examples?: Record<string, { value: unknown }>;
    securitySchemes?: unknown;
  };
}

/** Characters of a Unicode class in the first plane, as ranges that every reader of a pattern knows: not all have \p{…}. */
function plainClass(name: string): string {
  const is_in = new RegExp(`\\p{${name}}`, 'u');
  const hex = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;
  const ranges: string[] = [];
  for (let from = 0; from <= 0xffff; from++) {
    if (!is_in.test(String.fromCharCode(from))) continue;
    let to = from;
    while (to < 0xffff && is_in.test(String.fromCharCode(to + 1))) to++;
    ranges.push(to === from ? hex(from) : `${hex(from)}-${hex(to)}`);
    from = to;
  }
  return ranges.join('');
}
const plain_classes = new Map<string, string>();

/** A pattern without the flags that Zod's carry (`…/u`) and without classes by name; undefined where those would fill pages. */
function plainPattern(pattern: string): string | undefined {
  if (/\\p\{[LN]\}/.test(pattern)) return undefined;
  // No text of a JSON body holds half a pair, and few readers could say so; nor do all know characters beyond the first plane.
  const bare = pattern
    .replace(/\$\/[a-z]+$/, '$$')
    .replaceAll('\\p{Cs}', '')
    .replaceAll(/\\u\{\w+\}(-\\u\{\w+\})?/g, '')
    .replaceAll('\\0', '\\u0000');
  return bare.replaceAll(/\\p\{(\w+)\}/g, (_, name: string) => {
    const known = plain_classes.get(name) ?? plainClass(name);
    plain_classes.set(name, known);
    return known;
  });
}

function plainPatterns(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const schema = value as JsonSchema;
  if (typeof schema.pattern === 'string') {
    const plain = plainPattern(schema.pattern);
    if (plain === undefined) delete schema.pattern;
    else schema.pattern = plain;
  }
  for (const inner of Object.values(value)) plainPatterns(inner);
}

const nameOf = (method: string, path: string): string =>
  method + path.replace(/^\/api/, '').replaceAll(/[^A-Za-z]+([A-Za-z])?/g, (_, letter: string = '') => letter.toUpperCase());

/** A refusal's answer with an example of each code that this operation has for its status. */
function refusal(shared: Answer, codes: AppErrorCode[], path: string, components: ApiDocument['components']): Answer {
  const [type, media] = Object.entries(shared.content ?? {})[0] ?? ['application/json', {}];
  const examples = codes.map((code) => {
    const name = isDoorB(path) ? `${code}_at_door_b` : code;
    components.examples ??= {};
    components.examples[name] ??= { value: faultExample(code, path) };
    return [code, { $ref: `#/components/examples/${name}` }];
  });
  return { ...shared, content: { [type]: { ...media, examples: Object.fromEntries(examples) } } };
}

function finishOperation(operation: Operation, method: string, path: string, components: ApiDocument['components']): void {
  const { schemas, responses = {} } = components;
  operation.operationId = nameOf(method, path);
  for (const parameter of operation.parameters ?? [])
    if (parameter.schema !== undefined)
      parameter.example = exampleOf(parameter.schema, schemas, { name: parameter.name, whole: false });
  for (const media of Object.values(operation.requestBody?.content ?? {}))
    if (media.schema !== undefined) media.example = exampleOf(media.schema, schemas, { whole: false });
  const codes = operation['x-faults'] ?? [];
  for (const [status, answer] of Object.entries(operation.responses)) {
    const shared = responses[answer.$ref?.replace('#/components/responses/', '') ?? ''];
    if (shared !== undefined) {
      const of_status = codes.filter((code) => STATUS_OF[code] === Number(status));
      operation.responses[status] = refusal(shared, of_status, path, components);
      continue;
    }
    for (const media of Object.values(answer.content ?? {}))
      if (media.schema !== undefined && media.examples === undefined) media.example ??= exampleOf(media.schema, schemas);
  }
  delete operation['x-faults'];
}

/** Fills a document in that was made of the routes: names, examples and codes. It is changed in place, and answered. */
export function finishDocument(document: ApiDocument): ApiDocument {
  plainPatterns(document);
  document.tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations)) finishOperation(operation, method, path, document.components);
  // Each operation has its own by now.
  delete document.components.responses;
  return document;
}
