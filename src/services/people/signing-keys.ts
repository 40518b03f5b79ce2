import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { AppError } from '#/domain/app-error.ts';
import type { OutboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { sendOutbound } from '#/storage/outbound/send-outbound.ts';

/** Keys this old are asked for again, ms. */
const FRESH_MS = 10 * 60_000;
/** Keys that could not be asked for again serve this long, ms: an outage of the issuer signs nobody out at once. */
const STALE_MS = 60 * 60_000;
/** Between two requests that only an unknown key caused, ms: made-up keys must not make us hammer the issuer. */
const UNKNOWN_KEY_MS = 30_000;
/** Between two requests when the last one failed, ms. */
const FAILED_MS = 5_000;
const TIMEOUT_MS = 5_000;
const BYTES_MAX = 64_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;

const unavailable = (cause: unknown) => {
  const error = new AppError(
    'identity_unavailable',
    'The keys that prove access tokens cannot be had right now; try again in a few seconds',
    [],
    FAILED_MS / 1000,
  );
  error.cause = cause;
  return error;
};

/**
 * The public keys of an issuer, as `jwtVerify` asks for them: fetched when first needed, kept, and fetched again when they are
 * old or a key is unknown (rotation). Throws `identity_unavailable`; of an unknown key jose's own error.
 */
export function signingKeys(
  jwks_url: string,
  means: OutboundMeans,
  now: () => number = () => performance.now(),
): JWTVerifyGetKey {
  let keys: KeySet | null = null;
  let fetched_at = Number.NEGATIVE_INFINITY;
  let failed: { at: number; cause: unknown } | null = null;
  let asking: Promise<void> | null = null;

  async function fetchKeys(): Promise<void> {
    try {
      const answer = await sendOutbound(
        {
          url: jwks_url,
          method: 'GET',
          headers: { accept: 'application/json' },
          timeout_ms: TIMEOUT_MS,
          response_bytes_max: BYTES_MAX,
        },
        means,
      );
      if (answer.status !== 200) throw new Error(`The signing keys' address answered ${answer.status}`);
      keys = createLocalJWKSet(JSON.parse(answer.body.toString('utf8')) as JSONWebKeySet);
      fetched_at = now();
      failed = null;
    } catch (cause) {
      failed = { at: now(), cause };
    }
  }

  /** Asks once for all who wait, unless the last try failed a moment ago. */
  function refresh(): Promise<void> {
    if (failed !== null && now() - failed.at < FAILED_MS) return Promise.resolve();
    asking ??= fetchKeys().finally(() => {
      asking = null;
    });
    return asking;
  }

  return async (header, token) => {
    const age = now() - fetched_at;
    if (keys === null || age > FRESH_MS) await refresh();
    if (keys === null || now() - fetched_at > STALE_MS) throw unavailable(failed?.cause);
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (failed === null && now() - fetched_at < UNKNOWN_KEY_MS) throw error;
      await refresh();
      // It may be a new key that we could not ask for: then nobody can say that the token is bad.
      if (failed !== null) throw unavailable(failed.cause);
      return keys(header, token);
    }
  };
}
