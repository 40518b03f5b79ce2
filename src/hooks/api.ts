/** The one way from a page to the API: a client typed by `contract/api.gen.ts`, and one error shape for all that can go wrong. */
import createClient from 'openapi-fetch';
import type { paths } from '#/contract/api.gen.ts';
import type { Violation } from '#/domain/app-error.ts';

export const api = createClient<paths>({ baseUrl: '' });

type Named<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [name in Name]: string } & Named<Rest>
  : unknown;

/** The address of a declared path, for what no client call can be: links, uploads with progress, streams. */
export function addressOf<Path extends keyof paths>(path: Path, named: Named<Path>, query: Record<string, string> = {}): string {
  const filled = Object.entries(named as Record<string, string>).reduce(
    (address, [name, value]) => address.replace(`{${name}}`, encodeURIComponent(value)),
    path as string,
  );
  const asked = new URLSearchParams(query).toString();
  return asked === '' ? filled : `${filled}?${asked}`;
}

/** What an API call failed with, in words that a page may show as they are. */
export class ApiError extends Error {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number;
  readonly code: string;
  readonly violations: Violation[];
  readonly request_id: string | null;
  /** Seconds after which trying again is sane. */
  readonly retry_after_s: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    rest: Partial<Pick<ApiError, 'violations' | 'request_id' | 'retry_after_s'>> = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.violations = rest.violations ?? [];
    this.request_id = rest.request_id ?? null;
    this.retry_after_s = rest.retry_after_s ?? null;
  }

  /** The sentence for the field at `path`, where the request broke its rule. */
  violation(path: string): string | undefined {
    return this.violations.find((row) => row.path === path)?.message;
  }
}

const UNREACHABLE = 'The studio does not answer. See that it still runs (npm start), then try again.';

export function unreachable(): ApiError {
  return new ApiError(0, 'unreachable', UNREACHABLE);
}

const isRows = (value: unknown): value is Violation[] => Array.isArray(value);

/** Reads the error envelope of any door; a body that is none becomes a plain sentence with its status. */
export function apiError(status: number, body: unknown, retryAfter: string | null = null): ApiError {
  const seconds = Number(retryAfter);
  const retry_after_s = retryAfter !== null && Number.isFinite(seconds) ? seconds : null;
  if (typeof body === 'object' && body !== null && 'code' in body && 'message' in body) {
    const { code, message, details, violations, request_id } = body as Record<string, unknown>;
    return new ApiError(status, String(code), String(message), {
      violations: isRows(violations) ? violations : isRows(details) ? details : [],
      request_id: typeof request_id === 'string' ? request_id : null,
      retry_after_s,
    });
  }
  return new ApiError(status, 'internal', `The studio answered with status ${status} and no reason. Its log says more.`, {
    retry_after_s,
  });
}

/** Awaits a client call: its data, or an `ApiError` thrown. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const settled = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  });
  if (!settled.response.ok) throw apiError(settled.response.status, settled.error, settled.response.headers.get('retry-after'));
  return settled.data as T;
}

/** Says if asking again may help: only when nothing answered or the fault was the server's own. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

/** Says if what was asked for is not there (for this person), also where its address is none. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400);
}

/** What door B's envelope holds. The same addresses answer door C's clients otherwise; we never ask them to. */
export function dataOf<Body extends object>(body: Body): Extract<Body, { data: unknown }>['data'] {
  if (!('data' in body)) throw new ApiError(200, 'internal', 'The studio answered in another form than was asked for.');
  return (body as Extract<Body, { data: unknown }>).data;
}
