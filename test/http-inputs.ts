/** Every place in which a declared route takes an id, read from the OpenAPI document, and requests that fill them in. */
import type { Api } from '#/http/api-env.ts';
import { openApiDocument } from '#/http/openapi.ts';
import { PUBLIC_ROUTES } from '#/http/public-routes.ts';
import { TEST_OPTIONS } from './api.ts';
import { type Kind, plainest, SCENE_HUB_MODEL, type Things } from './http-scene.ts';

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  example?: unknown;
}
interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: Schema;
}
interface Described {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}
interface Document {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> };
}

/** A declared route with one shape of its body, if it takes one. */
export interface Operation {
  method: string;
  template: string;
  /** `POST /api/jobs`, and `POST /api/jobs CreateJob` where a body has one of several shapes. */
  name: string;
  parameters: Parameter[];
  body: { schema: Schema; example: unknown } | null;
  /** What it takes instead of JSON. */
  raw_type: string | null;
  is_public: boolean;
  is_stream: boolean;
  is_list: boolean;
}

/** One place that takes an id. `with` is what else the query or body must then say. */
export interface IdInput {
  operation: Operation;
  place: 'path' | 'query' | 'body';
  /** `dataset_id`, or `adapters[].adapter_id` */
  field: string;
  kind: Kind;
  with?: Record<string, unknown>;
}

export const nameOf = ({ operation, place, field, kind }: IdInput) => `${operation.name} ${place} ${field} (${kind})`;

/** Every declared route, once for each shape of its body. */
export function operationsOf(api: Api): Operation[] {
  const document = openApiDocument(api, TEST_OPTIONS.base_url) as unknown as Document;
  const resolve = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : resolve(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).flatMap(([lower, described]): Operation[] => {
      const method = lower.toUpperCase();
      const name = `${method} ${template}`;
      const types = Object.keys(described.requestBody?.content ?? {});
      const json = types.length === 1 ? described.requestBody?.content['application/json'] : undefined;
      const common = {
        method,
        template,
        parameters: described.parameters ?? [],
        raw_type: types.length > 1 ? (types[0] ?? null) : null,
        is_public: PUBLIC_ROUTES.has(name),
        is_stream: described.responses['200']?.content?.['text/event-stream'] !== undefined,
        is_list: method === 'GET' && !template.includes('{') && (described.parameters ?? []).some((one) => one.name === 'limit'),
      };
      if (json === undefined) return [{ ...common, name, body: null }];
      const whole = resolve(json.schema);
      const shapes = whole.oneOf ?? whole.anyOf;
      if (shapes === undefined) return [{ ...common, name, body: { schema: whole, example: json.example ?? whole.example } }];
      return shapes.map((shape, at) => {
        const schema = resolve(shape);
        const label = shape.$ref?.split('/').at(-1) ?? `shape ${at + 1}`;
        return {
          ...common,
          name: `${name} ${label}`,
          body: { schema, example: schema.example ?? json.example ?? whole.example },
        };
      });
    }),
  );
}

/** Fields of a body that are called ids and name nothing that anybody has here. */
const NAMES_NOTHING: Record<string, string> = {
  hf_repo_id: 'a repository of the Hub, which is public',
  partition_id: 'a part of an executor, which is the installation’s',
  preset_id: 'one of our own presets',
  training_image_id: 'an image of the installation’s, which everybody may name',
};
/** Places that prove themselves, and the tests that say so. */
const PROVED_OTHERWISE: Record<string, string> = {
  'GET /api/downloads/{token} path token': 'signed: see “a signed link” in src/http/tenancy.test.ts',
};

/** Parts of a path that count within the thing before them, and are asked for by one that is there. */
const NUMBERS_WITHIN: Record<string, string> = {
  '/api/datasets/{id}/images/{n}': '1',
  '/api/jobs/{id}/samples/{n}': '2',
};

/** What an id of a path is of, by the resource that it stands behind. */
const OF_PATHS: Record<string, Kind> = {
  '/api/jobs/{id}': 'job',
  '/api/training/{id}': 'job',
  '/api/datasets/{id}': 'dataset',
  '/api/base-models/{id}': 'model',
  '/api/artifacts/{id}': 'artifact',
  '/api/projects/{id}': 'project',
  '/api/recipes/{id}': 'recipe',
  '/api/experiments/{id}': 'experiment',
  '/api/transfers/{id}': 'transfer',
  '/api/activity/{id}': 'activity',
  '/api/notifications/{id}': 'notification',
  '/api/keys/{id}': 'api_key',
  '/api/users/{id}': 'member',
  '/api/invitations/{id}': 'invitation',
  '/api/gpu-catalog/{type}': 'gpu',
  '/api/gpus/{id}': 'device',
  '/api/training-images/{id}': 'training_image',
  '/api/webhooks/{id}': 'webhook',
  '/api/webhooks/{id}/deliveries/{delivery_id}': 'delivery',
};
/** What an id of a query or body is of, by its name. */
const OF_NAMES: Record<string, Kind> = {
  user_id: 'person',
  project: 'project',
  project_id: 'project',
  dataset_id: 'dataset',
  base_model_id: 'model',
  default_base_model_id: 'default_model',
  compatible_with_model: 'model',
  recipe_id: 'recipe',
  job_id: 'job',
  adapter_id: 'artifact',
  file: 'artifact_file',
  worker_id: 'worker',
};
/** What a list's cursors are of. */
const OF_LISTS: Record<string, Kind> = {
  '/api/accuracy': 'observation',
  '/api/jobs': 'job',
  '/api/queue': 'job',
  '/api/datasets': 'dataset',
  '/api/base-models': 'model',
  '/api/artifacts': 'artifact',
  '/api/jobs/{id}/artifacts': 'artifact',
  '/api/keys': 'api_key',
  '/api/users': 'member',
  '/api/invitations': 'invitation',
  '/api/gpus': 'device',
  '/api/projects': 'project',
  '/api/recipes': 'recipe',
  '/api/experiments': 'experiment',
  '/api/transfers': 'transfer',
  '/api/activity': 'activity',
  '/api/notifications': 'notification',
  '/api/webhooks': 'webhook',
  '/api/webhooks/{id}/deliveries': 'delivery',
};
/** Where an id is of one thing or another by what else is said. */
const OF_SEVERAL: Record<string, { kind: Kind; with: Record<string, unknown> }[]> = {
  'GET /api/costs query after': [{ kind: 'cost', with: { by: 'job' } }],
  // Everybody has one of their own.
  'PATCH /api/me body default_base_model_id': [
    { kind: 'model', with: {} },
    { kind: 'narrowed_model', with: {} },
  ],
  // Nobody else’s things name it: it may be put into a project.
  'PATCH /api/base-models/{id} path id': [
    { kind: 'narrowed_model', with: {} },
    { kind: 'model', with: {} },
  ],
  'POST /api/activity body entity_id': [
    { kind: 'job', with: { entity_type: 'job', event_type: 'job_created' } },
    { kind: 'experiment', with: { entity_type: 'experiment', event_type: 'job_created' } },
    { kind: 'dataset', with: { entity_type: 'dataset', event_type: 'dataset_imported' } },
    { kind: 'transfer', with: { entity_type: 'transfer', event_type: 'transfer_started' } },
    { kind: 'model', with: { entity_type: 'model', event_type: 'model_created' } },
    { kind: 'narrowed_model', with: { entity_type: 'model', event_type: 'model_created' } },
  ],
};

/** A template up to one of its parameters. */
const behind = (template: string, name: string) => template.slice(0, template.indexOf(`{${name}}`) + name.length + 2);

const isId = (name: string, schema: Schema) =>
  schema.format === 'uuid' || /(^|_)ids?$/.test(name) || (/^(after|before|cursor)$/.test(name) && schema.type !== 'integer');

function* fieldsOf(schema: Schema, path = ''): Generator<[path: string, name: string, schema: Schema]> {
  for (const part of [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) yield* fieldsOf(part, path);
  if (schema.items !== undefined) yield* fieldsOf(schema.items, `${path}[]`);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`;
    yield [at, name, inner];
    yield* fieldsOf(inner, at);
  }
}

/** Throws where a body can name another kind of thing than those that it is asked for. */
function refuseForgotten(where: string, several: { with: Record<string, unknown> }[], body: Schema | undefined): void {
  const words = body?.properties?.entity_type?.enum ?? [];
  const forgotten = words.filter((word) => !several.some((one) => one.with.entity_type === word));
  if (forgotten.length > 0) throw new Error(`${where} can be of ${forgotten.join(', ')}, too: say so in test/http-inputs.ts`);
}

/** All places that take an id. Throws for one of which it is not said what it is of. */
export function idInputsOf(operations: Operation[]): IdInput[] {
  return operations.flatMap((operation) => {
    const { template, parameters, body } = operation;
    const found: IdInput[] = [];
    const put = (place: IdInput['place'], field: string, kind: Kind | undefined) => {
      const where = `${operation.method} ${template} ${place} ${field}`;
      if (PROVED_OTHERWISE[where] !== undefined) return;
      const several = OF_SEVERAL[where];
      if (several !== undefined) refuseForgotten(where, several, body?.schema);
      if (several !== undefined) found.push(...several.map((one) => ({ operation, place, field, ...one })));
      else if (kind === 'model')
        for (const one of [kind, 'narrowed_model'] as const) found.push({ operation, place, field, kind: one });
      else if (kind !== undefined) found.push({ operation, place, field, kind });
      else
        throw new Error(
          `${where} takes an id: say in test/http-inputs.ts what it is of, and let test/http-scene.ts make such a thing`,
        );
    };
    for (const { name, in: place, schema } of parameters) {
      if (place === 'path' && NUMBERS_WITHIN[behind(template, name)] !== undefined) continue;
      if (place === 'path') put('path', name, OF_PATHS[behind(template, name)]);
      else if (place === 'query' && isId(name, schema) && NAMES_NOTHING[name] === undefined)
        put('query', name, /^(after|before|cursor)$/.test(name) ? OF_LISTS[template] : OF_NAMES[name]);
    }
    if (body !== null)
      for (const [field, name, schema] of fieldsOf(body.schema))
        if (isId(name, schema) && NAMES_NOTHING[name] === undefined) put('body', field, OF_NAMES[name]);
    return found;
  });
}

/** Bodies of routes whose example alone does not do, beside their ids. */
const BODIES: Record<string, Record<string, unknown> | ((things: Things) => Record<string, unknown>)> = {
  'POST /api/training/submit': {
    type: 'lora',
    base_model: SCENE_HUB_MODEL,
    config: { steps: 100 },
    start: false,
  },
  'POST /api/jobs CreateJob': { base_model_id: '', gpu_config: { type: 'CPU', count: 1 }, start: false },
  'POST /api/activity': { event_type: 'job_created', entity_type: 'job', entity_id: '' },
  // Of one name there is one for all: each person brings one of their own. Which there are everybody knows, as of models.
  'POST /api/base-models shape 1': (things) => ({ hf_repo_id: `tenancy/${plainest(things, 'model')}` }),
  'POST /api/gpu-catalog': (things) => ({ type: `GPU-${plainest(things, 'person')}`, aliases: [] }),
  'POST /api/training-images': (things) => ({ name: `Image ${plainest(things, 'person')}` }),
  'POST /api/invitations': { email: 'ada@example.org' },
  'POST /api/keys': { name: 'Of a script' },
  // An address needs no name server.
  'POST /api/webhooks': { url: 'https://93.184.216.34/hook' },
  'PATCH /api/users/{id}': { disabled: true },
  'PATCH /api/gpus/{id}': { drained: true },
  'PATCH /api/datasets/{id}': { description: 'Said anew' },
};
const RAW_BODY = '{"text": "one row"}\n';

export interface Request {
  path: string;
  init: RequestInit;
}

type Body = Record<string, unknown>;

function putAt(body: Body, field: string, value: unknown): void {
  const [head = '', ...rest] = field.split('.');
  const name = head.replace('[]', '');
  if (rest.length === 0) body[name] = head.endsWith('[]') ? [value] : value;
  else {
    const inner = {};
    body[name] = head.endsWith('[]') ? [inner] : { ...(body[name] as Body | undefined), ...inner };
    putAt((head.endsWith('[]') ? inner : body[name]) as Body, rest.join('.'), value);
  }
}

const holds = (body: Body, field: string): boolean => !field.includes('.') && !field.includes('[]') && body[field] !== undefined;

/** A request of somebody who has these things: every id in it is of one of them, but for that of `asked`. */
export function requestOf(operation: Operation, things: Things, asked?: { input: IdInput; id: string }): Request {
  const inputs = idInputsOf([operation]);
  const idOf = (input: IdInput | undefined) => {
    if (input === undefined) throw new Error(`${operation.name} has a part that nothing fills in`);
    return asked !== undefined && input.place === asked.input.place && input.field === asked.input.field
      ? asked.id
      : plainest(things, input.kind);
  };
  const path = operation.template.replace(
    /\{([^}]+)\}/g,
    (_, name: string) =>
      NUMBERS_WITHIN[behind(operation.template, name)] ??
      (PROVED_OTHERWISE[`${operation.method} ${operation.template} path ${name}`] === undefined
        ? encodeURIComponent(idOf(inputs.find((one) => one.place === 'path' && one.field === name)))
        : 'unsigned'),
  );
  const query =
    asked?.input.place === 'query'
      ? `?${new URLSearchParams({ ...(asked.input.with as Record<string, string> | undefined), [asked.input.field]: asked.id })}`
      : '';
  const init: RequestInit = { method: operation.method };
  if (operation.raw_type !== null) {
    init.headers = { 'content-type': operation.raw_type };
    init.body = RAW_BODY;
  } else if (operation.body !== null) {
    const more = BODIES[operation.name];
    const body: Body = {
      ...(operation.body.example as Body | undefined),
      ...(typeof more === 'function' ? more(things) : more),
    };
    // The first of several: the example says that it is of that kind.
    for (const input of inputs.filter(
      (one, at) => inputs.findIndex(({ place, field }) => place === one.place && field === one.field) === at,
    ))
      if (input.place === 'body' && holds(body, input.field)) body[input.field] = idOf(input);
    if (asked?.input.place === 'body') {
      Object.assign(body, asked.input.with);
      putAt(body, asked.input.field, asked.id);
    }
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  return { path: path + query, init };
}
