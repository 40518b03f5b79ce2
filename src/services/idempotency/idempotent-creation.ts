import { createHash } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { idempotencyKeys } from '#/db/schema/requests.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

const KEPT_HOURS = 24;
/** Stands for a request's hash while it is still being sent: no SHA-256 is empty. */
const HELD = '';

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
  /** `created`: false for what was there already and is answered instead. */
  after(tx: Tx, resource_id: string, created?: boolean): Promise<void>;
  /**
   * For what takes long to be sent, in a transaction of its own before that: holds the key for `resource_id` until `before` or `release`.
   * `isUnderWay` tells whether another that is held is still being sent. Throws `idempotency_in_progress`.
   */
  hold(tx: Tx, resource_id: string, isUnderWay: (tx: Tx, other_id: string) => Promise<boolean>): Promise<void>;
  /** Lets a key go that was held for what came to nothing. */
  release(tx: Tx, resource_id: string): Promise<void>;
  /** After the verb: whether the thing was there already, and the bytes that were answered then (null when that is unknown). */
  replayed(): Told | null;
  /** What the same request was answered, once the verb has thrown: what it made may be gone since. Null when that is unknown. */
  recall(): Promise<(Told & { answer: Buffer }) | null>;
  /** Keeps what is to be answered, and answers what stands: an answer to the same request may have come first. */
  keepAnswer(answer: Buffer): Promise<Buffer>;
}

/** What became of the first request. */
export interface Told {
  answer: Buffer | null;
  created: boolean;
}

/** What a creating verb takes of it; empty when the request named no key. */
export type CreationHooks = Partial<Pick<IdempotentCreation, 'before' | 'after' | 'hold' | 'release'>>;

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
  const heldFor = (resource_id: string) =>
    and(mine, eq(idempotencyKeys.request_hash, HELD), eq(idempotencyKeys.resource_id, resource_id));
  let found: Told | null = null;
  let held_for: string | null = null;

  /** The row of the key; nobody else looks at it until the transaction ends. Throws `idempotency_in_progress` while somebody does. */
  async function take(tx: Tx) {
    const name = `${user_id} ${route} ${key}`;
    const lock = await tx.execute<{ held: boolean }>(sql`SELECT pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) AS held`);
    if (lock.rows[0]?.held !== true) throw stillRuns();
    await tx
      .delete(idempotencyKeys)
      .where(sql`user_id = ${user_id} AND created_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS})`);
    const [known] = await tx.select().from(idempotencyKeys).where(mine);
    return known;
  }

  return {
    async before(tx) {
      found = null;
      const known = await take(tx);
      if (known === undefined) return null;
      if (known.request_hash === HELD) {
        // Whoever was silent for so long that another took the key over is late.
        if (known.resource_id !== held_for) throw stillRuns();
        await tx.delete(idempotencyKeys).where(mine);
        return null;
      }
      if (known.request_hash !== (await claim.request_hash())) {
        throw new AppError(
          'idempotency_key_reused',
          'This Idempotency-Key came with another request before: use a new key for a new request',
        );
      }
      found = { answer: known.answer, created: known.created };
      return known.resource_id;
    },
    async after(tx, resource_id, created = true) {
      const request_hash = await claim.request_hash();
      await tx.insert(idempotencyKeys).values({ user_id, route, key, request_hash, resource_id, created });
    },
    async hold(tx, resource_id, isUnderWay) {
      held_for = resource_id;
      const known = await take(tx);
      if (known !== undefined && known.request_hash !== HELD) return;
      if (known !== undefined) {
        if (await isUnderWay(tx, known.resource_id)) throw stillRuns();
        await tx.delete(idempotencyKeys).where(mine);
      }
      await tx.insert(idempotencyKeys).values({ user_id, route, key, request_hash: HELD, resource_id });
    },
    async release(tx, resource_id) {
      await tx.delete(idempotencyKeys).where(heldFor(resource_id));
    },
    replayed: () => found,
    async recall() {
      const kept = sql`created_at >= clock_timestamp() - make_interval(hours => ${KEPT_HOURS})`;
      const [known] = await asUser(user_id, (tx) => tx.select().from(idempotencyKeys).where(and(mine, kept)));
      if (known?.answer == null || known.request_hash !== (await claim.request_hash())) return null;
      return { answer: known.answer, created: known.created };
    },
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

const stillRuns = () =>
  new AppError('idempotency_in_progress', 'The first request with this Idempotency-Key still runs: try again in a second', [], 1);
