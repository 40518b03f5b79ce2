import type { Context as HonoContext, TypedResponse } from 'hono';
import type { JSONParsed } from 'hono/utils/types';
import { AppError } from '#/domain/app-error.ts';
import { type IdempotentCreation, idempotentCreation, requestHash } from '#/services/idempotency/idempotent-creation.ts';
import type { ApiEnv } from './api-env.ts';

const HEADER = 'Idempotency-Key';
const FORM = /^[\x21-\x7e]{1,255}$/;

/** What a creating verb takes to be idempotent; empty when the request named no key. */
export type CreationHooks = Partial<Pick<IdempotentCreation, 'before' | 'after'>>;

/** A 201 whose JSON is `Body`. */
type Created<Body> = Response & TypedResponse<JSONParsed<Body>, 201, 'json'>;

/** One creation, as its route describes it. */
export interface Creation<Row, Body> {
  /** Method and path template, e.g. `POST /api/jobs`. */
  route: string;
  /** All that was asked, as JSON: the same key with something else is refused. */
  request: unknown;
  /** Calls the verb, which runs the hooks first and last in its own transaction. */
  make(hooks: CreationHooks): Promise<Row>;
  /** The body that the caller gets, as JSON. */
  present(row: Row): Body;
}

/**
 * Answers 201 for a creation. With an `Idempotency-Key` the same request gets the same bytes again for 24 hours, and
 * `Idempotent-Replayed: true`. Throws what the verb throws, `idempotency_key_reused` and `idempotency_in_progress`.
 */
export async function createOnce<Row, Body>(c: HonoContext<ApiEnv>, creation: Creation<Row, Body>): Promise<Created<Body>> {
  const key = c.req.header(HEADER);
  if (key === undefined) return answer<Body>(c, encode(creation.present(await creation.make({}))));
  if (!FORM.test(key)) {
    const message = 'must be 1 to 255 printable ASCII characters without spaces';
    throw new AppError('invalid_request', `${HEADER} ${message}`, [{ path: HEADER, message, code: 'invalid_format' }]);
  }
  const once = idempotentCreation(c.var.ctx.user_id, { route: creation.route, key, request_hash: requestHash(creation.request) });
  const row = await creation.make(once);
  const replayed = once.replayed();
  const body = replayed?.answer ?? encode(creation.present(row));
  if (replayed?.answer == null) await once.keepAnswer(body);
  if (replayed !== null) c.header('Idempotent-Replayed', 'true');
  return answer<Body>(c, body);
}

const encode = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));

// The bytes are sent as they were kept; their type is what `present` made them of.
function answer<Body>(c: HonoContext<ApiEnv>, body: Buffer): Created<Body> {
  return c.body(new Uint8Array(body), 201, { 'Content-Type': 'application/json' }) as unknown as Created<Body>;
}
