import { and, desc, eq, isNull, notInArray, sql } from 'drizzle-orm';
import { apiKeys } from '#/db/schema/identity.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { ENDED_KEYS_KEPT } from '#/domain/row-caps.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';
import { refuseMore } from '#/services/row-caps/refuse-more.ts';
import { hashApiKey, makeApiKey, prefixOfApiKey } from './api-key-format.ts';
import { resolveApiKey } from './resolve-credential.ts';

export type KeyScope = 'read' | 'write';

/** A key as its owner may see it: never its hash. */
export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: KeyScope[];
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  created_at: Date;
}

const COLUMNS = {
  id: apiKeys.id,
  name: apiKeys.name,
  prefix: apiKeys.prefix,
  scopes: sql<KeyScope[]>`${apiKeys.scopes}`,
  expires_at: apiKeys.expires_at,
  last_used_at: apiKeys.last_used_at,
  revoked_at: apiKeys.revoked_at,
  created_at: apiKeys.created_at,
};

/** What whoever makes a key says of it. */
export interface AskedKey {
  name: string;
  scopes: KeyScope[];
  expires_at: Date | null;
}

const LOCAL_NAME = 'Command line of this machine';

const ofPerson = (user_id: string) => eq(apiKeys.user_id, user_id);
const IS_OVER = sql`(${apiKeys.revoked_at} IS NOT NULL OR coalesce(${apiKeys.expires_at} <= clock_timestamp(), false))`;

/** Of the keys that are over, the oldest go: a list of them has an end. */
async function forgetEndedKeys(tx: Tx, user_id: string): Promise<void> {
  const over = and(ofPerson(user_id), IS_OVER);
  const kept = tx.select({ id: apiKeys.id }).from(apiKeys).where(over).orderBy(desc(apiKeys.created_at)).limit(ENDED_KEYS_KEPT);
  await tx.delete(apiKeys).where(and(over, notInArray(apiKeys.id, kept)));
}

async function insertKey(tx: Tx, user_id: string, asked: AskedKey): Promise<ApiKey & { key: string }> {
  await forgetEndedKeys(tx, user_id);
  const key = makeApiKey();
  const [made] = await tx
    .insert(apiKeys)
    .values({ user_id, ...asked, scopes: [...new Set(asked.scopes)], prefix: prefixOfApiKey(key), hash: hashApiKey(key) })
    .returning(COLUMNS);
  if (made === undefined) throw new Error('the insert of a key returned no row');
  return { ...made, key };
}

/** Makes a key; its secret is answered this once. Throws `invalid_request` (an end in the past) and `limit_reached`. */
export function createApiKey(ctx: Context, asked: AskedKey): Promise<ApiKey & { key: string }>;
/** The same for a request that may be told again: then the key has no secret any more, for only its hash is kept. */
export function createApiKey(ctx: Context, asked: AskedKey, hooks: CreationHooks): Promise<ApiKey & { key: string | null }>;
export function createApiKey(ctx: Context, asked: AskedKey, hooks: CreationHooks = {}): Promise<ApiKey & { key: string | null }> {
  return asIdentity(async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { ...(await findKey(tx, ctx.user_id, known)), key: null };
    if (asked.expires_at !== null && asked.expires_at.getTime() <= Date.now()) {
      const message = 'must be in the future';
      throw new AppError('invalid_request', `expires_at ${message}`, [{ path: 'expires_at', message, code: 'too_small' }]);
    }
    await refuseMore(tx, ctx.user_id, 'API keys', apiKeys, sql`${ofPerson(ctx.user_id)} AND NOT ${IS_OVER}`);
    const made = await insertKey(tx, ctx.user_id, asked);
    await hooks.after?.(tx, made.id);
    return made;
  });
}

async function findKey(tx: Tx, user_id: string, id: string): Promise<ApiKey> {
  const [key] = await tx.select(COLUMNS).from(apiKeys).where(ownKey(user_id, id));
  if (key === undefined) throw noSuchKey();
  return key;
}

const ownKey = (user_id: string, id: string) => and(eq(apiKeys.id, id), ofPerson(user_id));
const noSuchKey = () => new AppError('not_found', 'There is no such key');

/** One page of own keys, newest first, revoked ones too. Throws `invalid_request` (cursor). */
export function listApiKeys(ctx: Context, page: PageQuery): Promise<Paged & { keys: ApiKey[] }> {
  return asIdentity(async (tx) => {
    const own = eq(apiKeys.user_id, ctx.user_id);
    const rows = await tx
      .select(COLUMNS)
      .from(apiKeys)
      .where(and(own, await behindCursor(tx, apiKeys, page.after, { own })))
      .orderBy(desc(apiKeys.created_at), desc(apiKeys.id))
      .limit(oneMore(page))
      .offset(skipped(page));
    const { rows: keys, next_cursor } = cutPage(rows, page.limit, ({ id }) => id);
    return { keys, ...(await countRows(tx, ctx.user_id, apiKeys, own)), next_cursor };
  });
}

/** Revokes one's own key; once revoked it stays so. Throws `not_found`. */
export async function revokeApiKey(ctx: Context, id: string): Promise<ApiKey> {
  const [revoked] = await asIdentity((tx) =>
    tx
      .update(apiKeys)
      .set({ revoked_at: sql`coalesce(${apiKeys.revoked_at}, clock_timestamp())` })
      .where(ownKey(ctx.user_id, id))
      .returning(COLUMNS),
  );
  if (revoked === undefined) throw noSuchKey();
  return revoked;
}

/** A key for the command line of this machine, for its 0600 file; the one before it ends. */
export async function createLocalKey(user_id: string): Promise<string> {
  const made = await asIdentity(async (tx) => {
    await tx
      .update(apiKeys)
      .set({ revoked_at: sql`clock_timestamp()` })
      .where(and(eq(apiKeys.user_id, user_id), eq(apiKeys.name, LOCAL_NAME), isNull(apiKeys.revoked_at)));
    return insertKey(tx, user_id, { name: LOCAL_NAME, scopes: ['read', 'write'], expires_at: null });
  });
  return made.key;
}

/** Whose key this is; null when it is not good any more: so that `start` keeps a key file that still works. */
export async function ownerOfApiKey(key: string): Promise<string | null> {
  return (await resolveApiKey(key))?.user_id ?? null;
}
