/** A declared route and every status that it can answer: what its shape makes possible is derived here, once for all. */
import { createRoute, type OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import type { AppErrorCode } from '#/domain/app-error.ts';
import { ErrorEnvelope, IdempotencyKey } from './common.ts';
import { codeOfFault, type FaultStatus, STATUS_OF } from './fault-codes.ts';

const retry_after = { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' as const } } };

const text = (description: string) => ({ description, schema: { type: 'string' as const } });
const count = (description: string) => ({ description, schema: { type: 'integer' as const } });
const allowance = {
  ...retry_after,
  'RateLimit-Limit': count('Requests of this kind that a minute takes'),
  'RateLimit-Remaining': count('How many of them are left'),
  'RateLimit-Reset': count('Seconds until there are more'),
};

/** Every status of an error answer, by the name that it has in the document. */
const FAULTS = {
  400: { name: 'BadRequest', description: 'Invalid JSON or a broken rule: one row a violation' },
  401: {
    name: 'Unauthorized',
    description: 'No valid session or key, or a wrong password',
    headers: { 'WWW-Authenticate': text('Bearer, with the realm') },
  },
  403: { name: 'Forbidden', description: 'Not for this caller: role, scope of the key, kind of credential or origin' },
  404: { name: 'NotFound', description: 'No such thing among what the caller may see' },
  405: {
    name: 'MethodNotAllowed',
    description: 'This path does not take the method',
    headers: { Allow: text('The methods that it takes') },
  },
  408: { name: 'RequestTimeout', description: 'The body did not arrive in time' },
  409: { name: 'Conflict', description: 'It stands in a state in which this cannot be done', headers: retry_after },
  413: { name: 'PayloadTooLarge', description: 'More than may be sent, or more than the quota leaves' },
  415: { name: 'UnsupportedMediaType', description: 'Not a media type or encoding that this endpoint takes' },
  416: { name: 'RangeNotSatisfiable', description: 'The range lies outside of the file: Content-Range has its size' },
  417: { name: 'ExpectationFailed', description: 'Expect names something other than 100-continue' },
  421: { name: 'MisdirectedRequest', description: 'A Host name that this studio does not answer for' },
  422: { name: 'NotTrainable', description: 'Well-formed, but not trainable' },
  429: { name: 'TooManyRequests', description: 'Too many requests', headers: allowance },
  431: { name: 'HeadersTooLarge', description: 'The headers are larger than 16 kB' },
  500: { name: 'InternalError', description: 'A fault of ours; request_id finds it in the log' },
  503: {
    name: 'Unavailable',
    description: 'The database, the storage, or whoever proves identities, does not answer',
    headers: retry_after,
  },
  507: { name: 'StorageFull', description: 'The disk of this installation is full' },
} as const satisfies Record<FaultStatus, { name: string; description: string; headers?: unknown }>;

/** Only a person who signed in: an API key that was stolen must not make itself permanent. */
export const SESSION_ONLY: { [name: string]: string[] }[] = [{ session: [] }];
/** A person, signed in here or with the identity provider: no API key. */
export const PERSON_ONLY: { [name: string]: string[] }[] = [{ session: [] }, { access_token: [] }];

/** What everything in front of a route's verb can answer: server, address, credential, query, body. */
function faultsOfShape(route: Pick<RouteConfig, 'method' | 'security' | 'request'>): AppErrorCode[] {
  const is_public = route.security?.length === 0;
  const changes = route.method !== 'get';
  return [
    ...(['invalid_request', 'method_not_allowed', 'expectation_failed', 'misdirected_request'] as const),
    ...(['headers_too_large', 'internal', 'database_unavailable', 'storage_unavailable'] as const),
    ...(is_public ? [] : (['ambiguous_credentials', 'unauthenticated', 'insufficient_scope', 'identity_unavailable'] as const)),
    ...(route.security === SESSION_ONLY || route.security === PERSON_ONLY ? (['session_required'] as const) : []),
    // Every request of a user is counted.
    ...(is_public ? [] : (['rate_limited'] as const)),
    // Another site's origin is refused before anybody is asked who they are.
    ...(changes ? (['invalid_json', 'origin_not_allowed', 'request_timeout'] as const) : []),
    ...(changes ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
    ...(route.request?.headers === IdempotencyKey ? (['idempotency_key_reused', 'idempotency_in_progress'] as const) : []),
  ];
}

/**
 * A route as its file declares it: `faults` are what its verb alone can answer, each a code, or a status for its plainest one;
 * the others follow from its shape.
 */
type Declared<P extends string> = Omit<RouteConfig, 'path'> & { path: P; faults?: readonly (FaultStatus | AppErrorCode)[] };

/** Declares a route with everything that it can answer. `x-faults` lists the codes, for the document's examples. */
export function declareRoute<P extends string, R extends Declared<P>>(route: R) {
  const codes = [...new Set([...faultsOfShape(route), ...(route.faults ?? []).map(codeOfFault)])];
  const refused = codes.map((code) => STATUS_OF[code]);
  const responses = {
    ...Object.fromEntries(refused.map((status) => [status, { $ref: `#/components/responses/${FAULTS[status].name}` }])),
    ...route.responses,
  };
  return createRoute<P, R>(Object.assign({}, route, { responses, faults: undefined, 'x-faults': codes }));
}

/** Puts the error answers, to which declared routes refer, into a document. */
export function registerFaults(registry: OpenAPIHono['openAPIRegistry']): void {
  registry.register('Error', ErrorEnvelope);
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  for (const { name, ...answer } of Object.values(FAULTS)) registry.registerComponent('responses', name, { ...answer, content });
}
