/** The OpenAPI document as the reference page draws it. */
import type { ApiDocument, Operation } from '#/contract/api-document.ts';
import type { JsonSchema } from '#/contract/examples.ts';

export interface Listed {
  /** The operation's name: an address on the page. */
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  operation: Operation;
}

/** A row of a table of fields: how deep it lies, what it is, and what it says of itself. */
export interface FieldRow {
  /** Its way from the top: two variants of a body may have fields of one name. */
  id: string;
  name: string;
  depth: number;
  kind: string;
  required: boolean;
  about: string;
}

const DEPTH_MAX = 4;

/** Every operation in the document's order of tags. */
export function listOperations(document: ApiDocument): Listed[] {
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      id: operation.operationId ?? `${method}${path}`,
      method: method.toUpperCase(),
      path,
      tag: operation.tags?.[0] ?? '',
      summary: operation.summary ?? '',
      operation,
    })),
  );
  const order = (document.tags ?? []).map(({ name }) => name);
  return all.sort((a, b) => order.indexOf(a.tag) - order.indexOf(b.tag));
}

/** Those in whose method, path, tag or summary every word is found. */
export function matching(operations: Listed[], words: string): Listed[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter(({ method, path, tag, summary }) => {
    const text = `${method} ${path} ${tag} ${summary}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
const variantsOf = (schema: JsonSchema): JsonSchema[] =>
  [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => (Array.isArray(list) ? list.filter(isSchema) : []));

function resolved(schema: JsonSchema, document: ApiDocument): JsonSchema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref ?? ''))?.[1];
  return name === undefined ? schema : { ...(document.components.schemas[name] ?? {}), title: name };
}

/** A schema's kind in a few words: `integer, 1 to 8`. */
export function kindOf(schema: JsonSchema, document: ApiDocument): string {
  const own = resolved(schema, document);
  if (Array.isArray(own.enum)) return own.enum.map((value) => JSON.stringify(value)).join(' | ');
  const variants = variantsOf(own);
  if (own.type === undefined && variants.length > 0)
    return [...new Set(variants.map((variant) => kindOf(variant, document)))].join(Array.isArray(own.allOf) ? ' and ' : ' or ');
  const types = [own.type].flat().filter((type) => type !== undefined);
  const named = types.map((type) => {
    if (type === 'array' && isSchema(own.items)) return `list of ${kindOf(own.items, document)}`;
    if (type === 'object') return typeof own.title === 'string' ? own.title : 'object';
    return type === 'string' && typeof own.format === 'string' ? own.format : String(type);
  });
  const { minimum, maximum, minLength, maxLength } = own;
  const bounds =
    minimum !== undefined && maximum !== undefined
      ? `${minimum} to ${maximum}`
      : maxLength !== undefined
        ? `${minLength ?? 0} to ${maxLength} characters`
        : '';
  return [named.join(' or ') || 'anything', bounds].filter(Boolean).join(', ');
}

function aboutOf(schema: JsonSchema): string {
  const fallback = schema.default === undefined ? '' : `Otherwise ${JSON.stringify(schema.default)}.`;
  return [schema.description, fallback].filter(Boolean).join('. ').replace('..', '.');
}

/** The fields of a schema, those of its objects below them. */
export function fieldsOf(schema: JsonSchema, document: ApiDocument, depth = 0, above = ''): FieldRow[] {
  const own = resolved(schema, document);
  if (depth > DEPTH_MAX) return [];
  if (isSchema(own.items)) return fieldsOf(own.items, document, depth, `${above}[]`);
  const rows: FieldRow[] = variantsOf(own).flatMap((variant, at) => fieldsOf(variant, document, depth, `${above}${at}|`));
  const required = Array.isArray(own.required) ? own.required : [];
  for (const [name, inner] of Object.entries(isSchema(own.properties) ? own.properties : {})) {
    if (!isSchema(inner)) continue;
    const id = `${above}${name}.`;
    rows.push({ id, name, depth, kind: kindOf(inner, document), required: required.includes(name), about: aboutOf(inner) });
    rows.push(...fieldsOf(inner, document, depth + 1, id));
  }
  return rows;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The operation as a line of curl, with its examples in it. `auth` is the shell function of docs/api.md. */
export function curlOf({ method, path, operation }: Listed, base_url: string): string {
  const { parameters = [], requestBody, security } = operation;
  let address = path;
  const query = new URLSearchParams();
  for (const { name, example, required, in: place } of parameters) {
    if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(String(example)));
    if (place === 'query' && required) query.set(name, String(example));
  }
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const body =
    media === undefined
      ? []
      : type === 'application/json'
        ? [`--json ${quoted(JSON.stringify(media.example))}`]
        : [`-H ${quoted(`Content-Type: ${type}`)}`, `--data-binary ${quoted(String(media.example))}`];
  return [
    'curl',
    ...(security?.length === 0 ? [] : ['--config <(auth)']),
    ...(method === 'GET' || (method === 'POST' && type === 'application/json') ? [] : [`-X ${method}`]),
    ...body,
    quoted(`${base_url}${address}${query.size > 0 ? `?${query}` : ''}`),
  ].join(' ');
}
