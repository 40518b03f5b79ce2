import { betterAuth } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { accounts, sessions, users, verifications } from '#/db/schema/identity.ts';
import { identityPool } from '#/db/tenancy.ts';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';

/** A session ends after seven days, whatever it did meanwhile. */
export const SESSION_SECONDS = 7 * 24 * 3600;

function make(pool: pg.Pool) {
  return betterAuth({
    // Nothing of its own HTTP surface is mounted: the doors are ours, and so are the cookies and their secret.
    baseURL: 'http://127.0.0.1',
    secret: 'unused: no cookie of this library ever leaves the process',
    database: drizzleAdapter(drizzle(pool), {
      provider: 'pg',
      schema: { user: users, session: sessions, account: accounts, verification: verifications },
    }),
    telemetry: { enabled: false },
    logger: { disabled: true },
    rateLimit: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_LENGTH_MIN,
      maxPasswordLength: PASSWORD_LENGTH_MAX,
    },
    session: {
      expiresIn: SESSION_SECONDS,
      disableSessionRefresh: true,
      fields: {
        userId: 'user_id',
        expiresAt: 'expires_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
      },
    },
    user: { fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' } },
    account: {
      fields: {
        userId: 'user_id',
        accountId: 'account_id',
        providerId: 'provider_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
      },
    },
    verification: { fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' } },
    advanced: { database: { generateId: 'uuid' }, ipAddress: { disableIpTracking: true } },
  });
}

const made = new WeakMap<pg.Pool, ReturnType<typeof make>>();

/** The library that checks passwords and opens sessions, on the identity login's pool. */
export function signInLibrary(): ReturnType<typeof make> {
  const pool = identityPool();
  let library = made.get(pool);
  if (library === undefined) {
    library = make(pool);
    made.set(pool, library);
  }
  return library;
}
