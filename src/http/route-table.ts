import type { OpenAPIHono } from '@hono/zod-openapi';

/** What the gate needs to know of a declared route. */
export interface KnownRoute {
  method: string;
  /** The declared path, e.g. `/api/jobs/{id}`. */
  template: string;
  /** `json`: read whole and strictly by us; `stream`: left to the handler; `none`: there is no body. */
  body: 'json' | 'stream' | 'none';
  body_required: boolean;
  has_query: boolean;
  /** For a person who signed in: no API key does. */
  session_only: boolean;
  /** Of such a route: an access token of the identity provider does, too. */
  takes_access_tokens: boolean;
  /** Answers a stream of events, which HEAD must not open. */
  is_event_stream: boolean;
}

export interface RouteTable {
  all: KnownRoute[];
  find(method: string, path: string): KnownRoute | undefined;
  methodsOf(path: string): string[];
}

const EVENT_STREAM = 'text/event-stream';
type Definitions = OpenAPIHono['openAPIRegistry']['definitions'];

/** Every route that was declared, found by method and path. What is not declared does not exist. */
export function routeTable(definitions: Definitions): RouteTable {
  const routes = definitions.flatMap((definition) => (definition.type === 'route' ? [definition.route] : []));
  const all = routes.map((route): KnownRoute => {
    const types = Object.keys(route.request?.body?.content ?? {});
    const ok = route.responses['200'];
    return {
      method: route.method.toUpperCase(),
      template: route.path,
      body: types.length === 0 ? 'none' : types.every((type) => type === 'application/json') ? 'json' : 'stream',
      body_required: route.request?.body?.required === true,
      has_query: route.request?.query !== undefined,
      session_only: route.security !== undefined && route.security.length > 0 && !route.security.some((way) => 'key' in way),
      takes_access_tokens: route.security?.some((way) => 'access_token' in way) === true,
      is_event_stream: ok !== undefined && 'content' in ok && ok.content !== undefined && EVENT_STREAM in ok.content,
    };
  });
  const fixed_routes = all.filter((route) => !route.template.includes('{'));
  const fixed = new Map(fixed_routes.map((route) => [`${route.method} ${route.template}`, route]));
  // A path with a name of its own is never the value of a parameter: /api/training/submit is no training's id.
  const named = new Set(fixed_routes.map((route) => route.template));
  const patterned = all
    .filter((route) => route.template.includes('{'))
    .map((route) => ({
      route,
      pattern: new RegExp(`^${route.template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
    }));
  const find = (method: string, path: string) =>
    named.has(path)
      ? fixed.get(`${method} ${path}`)
      : patterned.find(({ route, pattern }) => route.method === method && pattern.test(path))?.route;
  const methods = [...new Set(all.map((route) => route.method))];
  return {
    all,
    find,
    methodsOf(path) {
      const known = methods.filter((method) => find(method, path) !== undefined);
      return known.includes('GET') && !find('GET', path)?.is_event_stream ? [...known, 'HEAD'] : known;
    },
  };
}
