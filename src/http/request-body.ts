import type { Context as HonoContext } from 'hono';
import { AppError } from '#/domain/app-error.ts';
import { formatBytes } from '#/domain/bytes.ts';
import type { ApiEnv } from './api-env.ts';
import type { KnownRoute } from './route-table.ts';
import { parseStrictJson } from './strict-json.ts';
import { refusal } from './violations.ts';

const JSON_BYTES_MAX = 256_000;
const JSON_TYPE = /^application\/json(\s*;\s*charset=("utf-8"|utf-8))?$/i;

const tooLarge = () =>
  new AppError('payload_too_large', `The body is larger than the ${formatBytes(JSON_BYTES_MAX)} that JSON may have here`);

/** Its sender went away, which is no fault of ours. */
const brokenOff = () => new AppError('request_timeout', 'The body broke off before its end: send it again');

/** The bytes of a body that must be small and come soon. Throws `payload_too_large` and `request_timeout`. */
async function readSmallBody(body: ReadableStream<Uint8Array>, timeout_ms: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const read = () =>
    reader.read().catch(() => {
      throw brokenOff();
    });
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AppError('request_timeout', 'The body did not arrive in time: send it again')),
      timeout_ms,
    );
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([read(), late]);
      if (done) return Buffer.concat(chunks);
      bytes += value.byteLength;
      if (bytes > JSON_BYTES_MAX) throw tooLarge();
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

/** Refuses a body that is packed: what it unpacks to has no limit. */
function refusePacked(c: HonoContext<ApiEnv>): void {
  const encoding = c.req.header('content-encoding');
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new AppError('unsupported_media_type', 'Send the body without Content-Encoding');
}

/**
 * Reads and checks the body of a route that takes JSON or nothing, and leaves every other one untouched. What it read is what
 * the route's schema sees, and what it answers. Throws `invalid_json`, `invalid_request`, `payload_too_large`, `unsupported_media_type`, `request_timeout`.
 */
export async function readBody(c: HonoContext<ApiEnv>, route: KnownRoute, timeout_ms: number): Promise<unknown> {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return undefined;
  refusePacked(c);
  if (route.body === 'stream') return undefined;
  if (Number(c.req.header('content-length') ?? 0) > JSON_BYTES_MAX) throw tooLarge();
  const type = c.req.header('content-type');
  if (route.body === 'json' && route.body_required && (type === undefined || !JSON_TYPE.test(type))) {
    throw new AppError('unsupported_media_type', 'Send JSON with Content-Type: application/json');
  }
  // To look at it is to ask for it: whoever waits for 100 Continue sends it now.
  const body = c.req.raw.body;
  const bytes = body === null ? new Uint8Array() : await readSmallBody(body, timeout_ms);
  if (bytes.byteLength === 0 && !route.body_required) {
    // It has been read, though nothing was in it: whoever looks again finds that.
    c.req.bodyCache.arrayBuffer = Promise.resolve(new ArrayBuffer(0)) as unknown as ArrayBuffer;
    return undefined;
  }
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new AppError('unsupported_media_type', 'Send JSON with Content-Type: application/json, or no body');
  }
  const { text, value } = parseStrictJson(bytes);
  // Hono keeps promises here, whatever its type says.
  if (route.body === 'json') c.req.bodyCache.text = Promise.resolve(text) as unknown as string;
  else refuseFields(value);
  return value;
}

/** A route without a body takes an empty object, and names what it does not know. */
function refuseFields(value: unknown): void {
  const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : ['body'];
  if (fields.length === 0) return;
  throw refusal(fields.map((path) => ({ path, message: 'is not a known field', code: 'unknown_field' })));
}

/** Refuses query parameters that the route does not declare, and text that PostgreSQL cannot hold. */
export function checkQuery(c: HonoContext<ApiEnv>, route: KnownRoute): void {
  const parameters = [...new URL(c.req.url).searchParams];
  if (!route.has_query && parameters.length > 0) {
    const names = [...new Set(parameters.map(([name]) => name))];
    throw refusal(names.map((path) => ({ path, message: 'is not a known parameter', code: 'unknown_parameter' })));
  }
  const broken = parameters.filter(([name, value]) => name.includes('\0') || value.includes('\0'));
  if (broken.length === 0) return;
  throw refusal(
    broken.map(([path]) => ({ path: path.replaceAll('\0', ''), message: 'must not hold NUL', code: 'invalid_characters' })),
  );
}
