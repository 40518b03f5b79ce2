import { asUnavailable } from '#/db/pools.ts';
import { identityPool } from '#/db/tenancy.ts';
import { hashApiKey } from './api-key-format.ts';
import { findSubject } from './ensure-subject.ts';

/** Whom a session, key or token stands for. */
export interface ResolvedCredential {
  id: string;
  kind: 'session' | 'api_key' | 'access_token';
  user_id: string;
  role: 'administrator' | 'user';
  scopes: ('read' | 'write')[];
  /** When an access token is over; null for what the database ends. */
  expires_at: Date | null;
}

interface Row {
  id: string;
  user_id: string;
  role: 'administrator' | 'user';
  scopes: ('read' | 'write')[];
  use_is_old?: boolean;
}

const SESSION = {
  name: 'resolve-session',
  text: `SELECT s.id, s.user_id, u.role, ARRAY['read', 'write'] AS scopes
    FROM identity.sessions s JOIN identity.users u ON u.id = s.user_id
    WHERE s.token = $1 AND s.expires_at > clock_timestamp() AND u.disabled_at IS NULL`,
};

const KEY = {
  name: 'resolve-api-key',
  text: `SELECT k.id, k.user_id, u.role, k.scopes, coalesce(k.last_used_at < clock_timestamp() - interval '1 minute', true) AS use_is_old
    FROM identity.api_keys k JOIN identity.users u ON u.id = k.user_id
    WHERE k.hash = $1 AND u.disabled_at IS NULL AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())`,
};

const KEY_USED = { name: 'api-key-used', text: 'UPDATE identity.api_keys SET last_used_at = clock_timestamp() WHERE id = $1' };

const LIVE = {
  session: {
    name: 'session-lives',
    text: `SELECT 1 FROM identity.sessions s JOIN identity.users u ON u.id = s.user_id
      WHERE s.id = $1 AND s.expires_at > clock_timestamp() AND u.disabled_at IS NULL`,
  },
  api_key: {
    name: 'api-key-lives',
    text: `SELECT 1 FROM identity.api_keys k JOIN identity.users u ON u.id = k.user_id
      WHERE k.id = $1 AND u.disabled_at IS NULL AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())`,
  },
};

async function ask<T extends object>(query: { name: string; text: string }, value: string): Promise<T[]> {
  try {
    return (await identityPool().query<T>({ ...query, values: [value] })).rows;
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** Whom a session token stands for; null when it is unknown or over. One prepared query. Throws `database_unavailable`. */
export async function resolveSession(token: string): Promise<ResolvedCredential | null> {
  const [row] = await ask<Row>(SESSION, token);
  return row === undefined ? null : { kind: 'session', ...row, expires_at: null };
}

/** Whom an API key stands for; null when it is unknown, revoked or expired. Notes its use at most once a minute. */
export async function resolveApiKey(key: string): Promise<ResolvedCredential | null> {
  const [row] = await ask<Row>(KEY, hashApiKey(key));
  if (row === undefined) return null;
  const { use_is_old, ...found } = row;
  if (use_is_old) await ask(KEY_USED, row.id);
  return { kind: 'api_key', ...found, expires_at: null };
}

/** Says if a session, key or token that was good still is. Throws `database_unavailable`. */
export async function isCredentialLive(
  credential: Pick<ResolvedCredential, 'kind' | 'id' | 'user_id' | 'expires_at'>,
): Promise<boolean> {
  if (credential.kind === 'access_token') {
    const over = credential.expires_at === null || credential.expires_at.getTime() <= Date.now();
    return !over && (await findSubject(credential.user_id))?.disabled === false;
  }
  return (await ask(LIVE[credential.kind], credential.id)).length > 0;
}
