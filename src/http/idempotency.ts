import type { Context as HonoContext, TypedResponse } from 'hono';
import type { JSONParsed } from 'hono/utils/types';
import { type CreationHooks, idempotentCreation, requestHash } from '#/services/idempotency/idempotent-creation.ts';
import type { ApiEnv } from './api-env.ts';

/** A 201 whose JSON is `Body`. */
type Created<Body> = Response & TypedResponse<JSONParsed<Body>, 201, 'json'>;

/** One creation, as its route describes it. */
export interface Creation<Row, Body> {
  /** Method and path template, e.g. `POST /api/jobs`. */
  route: string;
  /** All that was asked, as JSON: the same key with something else is refused. Called once the verb is about to create. */
  request(): unknown;
  /** Calls the verb, which runs the hooks first and last in its own transaction. */
  make(hooks: CreationHooks): Promise<Row>;
  /** The body that the caller gets, as JSON. */
  present(row: Row): Body;
  /** What of the body is kept and told again: without it all. For what holds a secret that is shown once. */
  keep?(body: Body): Body;
}

/**
 * Answers 201 for a creation. With an `Idempotency-Key` the same request gets the same bytes again for 24 hours (a secret
 * aside), and `Idempotent-Replayed: true`. Throws what the verb throws, `idempotency_key_reused` and `idempotency_in_progress`.
 */
export async function createOnce<Row, Body>(c: HonoContext<ApiEnv>, creation: Creation<Row, Body>): Promise<Created<Body>> {
  const key = c.req.header('Idempotency-Key');
  if (key === undefined) return answer<Body>(c, encode(creation.present(await creation.make({}))));
  const once = idempotentCreation(c.var.ctx.user_id, {
    route: creation.route,
    key,
    request_hash: async () => requestHash(await creation.request()),
  });
  const row = await creation.make(once);
  const replayed = once.replayed();
  if (replayed !== null) c.header('Idempotent-Replayed', 'true');
  if (replayed?.answer != null) return answer<Body>(c, replayed.answer);
  const body = creation.present(row);
  await once.keepAnswer(encode(creation.keep?.(body) ?? body));
  return answer<Body>(c, encode(body));
}

const encode = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));

// The bytes are sent as they were kept; their type is what `present` made them of.
function answer<Body>(c: HonoContext<ApiEnv>, body: Buffer): Created<Body> {
  return c.body(new Uint8Array(body), 201, { 'Content-Type': 'application/json' }) as unknown as Created<Body>;
}
