import { z } from '@hono/zod-openapi';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '#/domain/constants.ts';

/** One broken rule of a request. */
export const ViolationRow = z
  .object({ path: z.string(), message: z.string(), code: z.string() })
  .openapi('Violation', { example: { path: 'hyperparameters.rank', message: 'rank must be between 4 and 64', code: 'too_big' } });

/** The one error envelope. At door B `details` is one sentence and the rows stand in `violations`. */
export const ErrorEnvelope = z
  .object({
    error: z.string(),
    message: z.string(),
    code: z.string(),
    details: z.union([z.array(ViolationRow), z.string()]),
    violations: z.array(ViolationRow).optional(),
    request_id: z.string(),
  })
  .openapi('Error');

const error = (description: string) => ({ description, content: { 'application/json': { schema: ErrorEnvelope } } });

/** The error answers that every authenticated route can give, and further ones by status. */
export const errors = (...statuses: (403 | 404 | 409 | 413 | 415 | 422 | 429)[]) => {
  const known = {
    403: error('The caller may not do this'),
    404: error('No such thing among what the caller may see'),
    409: error('It stands in a state in which this cannot be done'),
    413: error('Too large'),
    415: error('Not a media type that this endpoint takes'),
    422: error('Well-formed, but not trainable'),
    429: error('Too many requests: see Retry-After'),
  } as const;
  return {
    400: error('Invalid JSON or a broken rule: one row a violation'),
    401: error('No valid session or key'),
    ...Object.fromEntries(statuses.map((status) => [status, known[status]])),
    500: error('A fault of ours; request_id finds it in the log'),
    503: error('The database does not answer: see Retry-After'),
  };
};

export const IdParam = z.object({ id: z.uuid().openapi({ param: { name: 'id', in: 'path' } }) });

/** An instant as the wire has it: ISO 8601, UTC. */
export const Instant = z.iso.datetime();

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

/** `limit` and `offset` of a list, with the bounds that every list has. */
export const PageLimit = whole(1, PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT);
export const PageOffset = whole(0, 1_000_000).default(0);
export const PageNumber = whole(1, 1_000_000).default(1);
export const ByteOffset = whole(0, 999_999_999).default(0);
export const WholeQuery = whole;
