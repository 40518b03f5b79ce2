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
    job_id: z.uuid().optional().describe('Of a job that is stored all the same, with `launch_failed`'),
    request_id: z.string(),
  })
  .openapi('Error');

/** The id in a path, in the one form that rows, folders and notifications have: lower case. */
export const IdParam = z.object({
  id: z
    .uuid()
    .toLowerCase()
    .openapi({ param: { name: 'id', in: 'path' } }),
});

/** An instant as the wire has it: ISO 8601, UTC. */
export const Instant = z.iso.datetime();

/** The header of a creating POST, declared wherever it is honoured: `declareRoute` adds what it can be answered. */
export const IdempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters without spaces')
    .optional()
    .describe('With it the same request makes one thing and gets the same answer for 24 hours'),
});

/** A whole number of a query. The document has it as a number, for that is what its text must be. */
export const WholeQuery = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .openapi({ type: 'integer', minimum: min, maximum: max });

/** The same, and what counts where it is not said. */
export const WholeQueryOr = (min: number, max: number, otherwise: number) =>
  WholeQuery(min, max).default(otherwise).openapi({ type: 'integer', minimum: min, maximum: max, default: otherwise });

/** `limit` and `offset` of a list, with the bounds that every list has. */
export const PageLimit = WholeQueryOr(1, PAGE_LIMIT_MAX, PAGE_LIMIT_DEFAULT);
export const PageOffset = WholeQueryOr(0, 1_000_000, 0);
export const PageNumber = WholeQueryOr(1, 1_000_000, 1);
export const ByteOffset = WholeQueryOr(0, 999_999_999, 0);

/** What a dataset or model is made of, as lists are filtered by it. */
export const Modality = z.enum(['text', 'image', 'audio', 'video', 'multimodal']);

/** Where a list goes on: the `next_cursor` of the page before. New rows in between move nothing. */
const Cursor = z.uuid().optional().describe('next_cursor of the page before; counts before offset');

/** Which page of a list: by place, or behind the page before. */
export const PageQuery = { limit: PageLimit, offset: PageOffset, after: Cursor };

/** What every list of door C takes; `search` and `q` are two names of one thing. */
export const ListQuery = {
  ...PageQuery,
  search: z.string().max(200).optional(),
  q: z.string().max(200).optional(),
  project: z.uuid().optional().describe('Only what belongs to this project'),
};

/** What every list tells beside its rows. */
export const PageFields = {
  total: z.int(),
  total_is_estimate: z.boolean().describe('true only above ten thousand: then it was counted within the last minute'),
  limit: z.int(),
  offset: z.int(),
  next_cursor: z.uuid().nullable().describe('Sent as `after` it gets the next page; null: there is none'),
};

/** `true` or `false` as a query has it. */
export const YesOrNo = z.enum(['true', 'false']).transform((value) => value === 'true');

/** `view=wizard` below /api/jobs: the plain object of door C, its statuses in capitals, instead of door B's envelope. */
export const View = z.enum(['wizard']).optional();

/** Door B's envelope. */
export const enveloped = <T extends z.ZodType>(schema: T) => z.object({ success: z.literal(true), data: schema });

/** What a read below /api/jobs tells: in door B's envelope, and with view=wizard plain. */
export const eitherWay = <T extends z.ZodType>(schema: T) => z.union([enveloped(schema), schema]);

/** Where a list of a job's numbered events goes on. */
export const NextAfter = z.int().nullable().describe('Sent as `after` it gets the next page; null: there is none yet');
