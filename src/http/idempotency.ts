import type { Context as HonoContext, TypedResponse } from 'hono';
import type { JSONParsed } from 'hono/utils/types';
import { AppError } from '#/domain/app-error.ts';
import { type CreationHooks, idempotentCreation, requestHash } from '#/services/idempotency/idempotent-creation.ts';
import type { ApiEnv } from './api-env.ts';

/** An answer whose JSON is `Body`. */
type Answer<Body, Status extends 200 | 201> = Response & TypedResponse<JSONParsed<Body>, Status, 'json'>;

/** One creation, as its route describes it. */
export interface Creation<Row, Body> {
  /** Method and path template, e.g. `POST /api/jobs`. */
  route: string;
  /** All that was asked, as JSON: the same key with something else is refused. Called once the verb is about to create. */
  request(): unknown;
  /** Calls the verb, which runs the hooks first and last in its own transaction. */
  make(hooks: CreationHooks): Promise<Row>;
  /** The body that the caller gets, as JSON. */
  present(row: Row): Body | Promise<Body>;
  /** Says of a row whether it was made, where what is there already is answered instead. Without it all are. */
  created?(row: Row): boolean;
  /** What of the body is kept and told again: without it all. For what holds a secret that is shown once. */
  keep?(body: Body): Body;
}

/**
 * Answers 201 for a creation. With an `Idempotency-Key` the same request gets the same bytes again for 24 hours (a secret
 * aside), and `Idempotent-Replayed: true`, also once what it made is gone. Throws what the verb throws, `idempotency_key_reused` and
 * `idempotency_in_progress`.
 */
export const createOnce = <Row, Body>(c: HonoContext<ApiEnv>, creation: Creation<Row, Body>): Promise<Answer<Body, 201>> =>
  makeOnce(c, () => 201, creation);

/** The same with 200 for what was there already. */
export const createOrFindOnce = <Row, Body>(
  c: HonoContext<ApiEnv>,
  creation: Creation<Row, Body> & { created(row: Row): boolean },
): Promise<Answer<Body, 200 | 201>> => makeOnce(c, (created) => (created ? 201 : 200), creation);

/** The same where a door's clients know another status of it. */
export async function makeOnce<Row, Body, Status extends 200 | 201>(
  c: HonoContext<ApiEnv>,
  statusOf: (created: boolean) => Status,
  creation: Creation<Row, Body>,
): Promise<Answer<Body, Status>> {
  const answer = (body: Buffer, created: boolean) => answerBytes<Body, Status>(c, statusOf(created), body);
  const wasCreated = (row: Row) => creation.created?.(row) ?? true;
  const key = c.req.header('Idempotency-Key');
  if (key === undefined) {
    const row = await creation.make({});
    return answer(encode(await creation.present(row)), wasCreated(row));
  }
  const once = idempotentCreation(c.var.ctx.user_id, {
    route: creation.route,
    key,
    request_hash: async () => requestHash(await creation.request()),
  });
  let row: Row;
  try {
    row = await creation.make(once);
  } catch (error) {
    // What the first made, or made it of, may be gone since.
    const first = error instanceof AppError ? await once.recall() : null;
    if (first === null) throw error;
    c.header('Idempotent-Replayed', 'true');
    return answer(first.answer, first.created);
  }
  const replayed = once.replayed();
  if (replayed !== null) c.header('Idempotent-Replayed', 'true');
  const created = replayed?.created ?? wasCreated(row);
  if (replayed?.answer != null) return answer(replayed.answer, created);
  const body = await creation.present(row);
  const told = encode(creation.keep?.(body) ?? body);
  const kept = await once.keepAnswer(told);
  return answer(kept.equals(told) ? encode(body) : kept, created);
}

const encode = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));

// The bytes are sent as they were kept; their type is what `present` made them of.
function answerBytes<Body, Status extends 200 | 201>(c: HonoContext<ApiEnv>, status: Status, body: Buffer): Answer<Body, Status> {
  return c.body(new Uint8Array(body), status, { 'Content-Type': 'application/json' }) as unknown as Answer<Body, Status>;
}
