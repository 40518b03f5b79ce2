import { createHash } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { idempotencyKeys } from '#/db/schema/requests.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

const KEPT_HOURS = 24;

/** A creating request that named a key. */
export interface IdempotencyClaim {
  /** Method and path template, e.g. `POST /api/jobs`. */
  route: string;
  key: string;
  /** Tells whether the same key came with the same request: `requestHash` of what was asked, once all of it is known. */
  request_hash(): Promise<string>;
}

/**
 * The two halves that a creating verb runs inside its own transaction, so that thing and key are stored together or not at
 * all: `before` first (the id that it answers is to be answered instead of a new one), `after` once the thing is stored.
 */
export interface IdempotentCreation {
  before(tx: Tx): Promise<string | null>;
  after(tx: Tx, resource_id: string): Promise<void>;
  /** After the verb: whether the thing was there already, and the bytes that were answered then (null when that is unknown). */
  replayed(): { answer: Buffer | null } | null;
  /** Keeps what is to be answered, and answers what stands: an answer to the same request may have come first. */
  keepAnswer(answer: Buffer): Promise<Buffer>;
}

/** What a creating verb takes of it; empty when the request named no key. */
export type CreationHooks = Partial<Pick<IdempotentCreation, 'before' | 'after'>>;

/** One form for all spellings of a JSON value: keys sorted, no spaces. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/** SHA-256 (hex) of a request in canonical form: order of keys and spaces do not count. */
export const requestHash = (request: unknown): string => createHash('sha256').update(canonical(request)).digest('hex');

/**
 * Makes a creation happen once a (user, route, key) within 24 hours. `before` throws `idempotency_key_reused` for another
 * request under the same key and `idempotency_in_progress` while the first still runs.
 */
export function idempotentCreation(user_id: string, claim: IdempotencyClaim): IdempotentCreation {
  const { route, key } = claim;
  const mine = and(eq(idempotencyKeys.user_id, user_id), eq(idempotencyKeys.route, route), eq(idempotencyKeys.key, key));
  let found: { answer: Buffer | null } | null = null;
  return {
    async before(tx) {
      found = null;
      const name = `${user_id} ${route} ${key}`;
      const lock = await tx.execute<{ held: boolean }>(
        sql`SELECT pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) AS held`,
      );
      if (lock.rows[0]?.held !== true) {
        throw new AppError(
          'idempotency_in_progress',
          'The first request with this Idempotency-Key still runs: try again in a second',
          [],
          1,
        );
      }
      await tx
        .delete(idempotencyKeys)
        .where(sql`user_id = ${user_id} AND created_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS})`);
      const [known] = await tx.select().from(idempotencyKeys).where(mine);
      if (known === undefined) return null;
      if (known.request_hash !== (await claim.request_hash())) {
        throw new AppError(
          'idempotency_key_reused',
          'This Idempotency-Key came with another request before: use a new key for a new request',
        );
      }
      found = { answer: known.answer };
      return known.resource_id;
    },
    async after(tx, resource_id) {
      await tx.insert(idempotencyKeys).values({ user_id, route, key, request_hash: await claim.request_hash(), resource_id });
    },
    replayed: () => found,
    async keepAnswer(answer) {
      const [kept] = await asUser(user_id, (tx) =>
        tx
          .update(idempotencyKeys)
          .set({ answer: sql`coalesce(answer, ${answer})` })
          .where(mine)
          .returning({ answer: idempotencyKeys.answer }),
      );
      return kept?.answer ?? answer;
    },
  };
}
