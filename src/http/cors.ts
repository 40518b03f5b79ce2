/** Pages of other sites that the owner named: they may call this API with a key of their user's, never with our cookie. */

const ASKED = ['Authorization', 'Content-Type', 'Idempotency-Key', 'Last-Event-ID', 'Range', 'If-Range', 'If-None-Match'];
const TOLD = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Idempotent-Replayed',
  'Content-Disposition',
  'Content-Range',
  'Accept-Ranges',
  'ETag',
  'Location',
  'Allow',
];
const PREFLIGHT_S = 600;

type Header = [name: string, value: string];

/** What lets a listed origin's page read an answer; nothing for everybody else. */
export function sharedWith(allowed_origins: readonly string[], origin: string | undefined): Header[] {
  if (allowed_origins.length === 0) return [];
  const vary: Header = ['Vary', 'Origin'];
  if (origin === undefined || !allowed_origins.includes(origin)) return [vary];
  return [vary, ['Access-Control-Allow-Origin', origin], ['Access-Control-Expose-Headers', TOLD.join(', ')]];
}

/** What answers a listed origin's preflight: the methods that the path has, and the headers that this API reads. */
export function preflight(allowed_origins: readonly string[], origin: string | undefined, methods: string[]): Header[] {
  if (methods.length === 0 || origin === undefined || !allowed_origins.includes(origin)) return [];
  return [
    ['Access-Control-Allow-Methods', methods.join(', ')],
    ['Access-Control-Allow-Headers', ASKED.join(', ')],
    ['Access-Control-Max-Age', String(PREFLIGHT_S)],
  ];
}
