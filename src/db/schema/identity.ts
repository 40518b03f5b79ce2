import { sql } from 'drizzle-orm';
import { boolean, index, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, identity, identityRows, instant, updatedAt } from './roles.ts';

// users, sessions, accounts and verifications have the columns that better-auth expects; the rest is ours.

export const users = identity.table(
  'users',
  {
    id: id(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    email_verified: boolean('email_verified').notNull().default(false),
    image: text('image'),
    /** administrator: the first owner and whom they name; user: everybody else */
    role: text('role', { enum: ['administrator', 'user'] })
      .notNull()
      .default('user'),
    /** came by an access token of the identity provider: nobody else is whom a token names */
    is_subject: boolean('is_subject').notNull().default(false),
    /** an administrator closed the door: no session, key or token of theirs is taken */
    disabled_at: instant('disabled_at'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [uniqueIndex('users_email_key').on(t.email), index('users_created').on(t.created_at, t.id), identityRows('users')],
);

const userId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

export const sessions = identity.table(
  'sessions',
  {
    id: id(),
    user_id: userId(),
    token: text('token').notNull(),
    expires_at: instant('expires_at').notNull(),
    ip_address: text('ip_address'),
    user_agent: text('user_agent'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [uniqueIndex('sessions_token_key').on(t.token), index('sessions_user').on(t.user_id), identityRows('sessions')],
);

export const accounts = identity.table(
  'accounts',
  {
    id: id(),
    user_id: userId(),
    account_id: text('account_id').notNull(),
    provider_id: text('provider_id').notNull(),
    access_token: text('access_token'),
    refresh_token: text('refresh_token'),
    id_token: text('id_token'),
    access_token_expires_at: instant('access_token_expires_at'),
    refresh_token_expires_at: instant('refresh_token_expires_at'),
    scope: text('scope'),
    password: text('password'),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [index('accounts_user').on(t.user_id), identityRows('accounts')],
);

export const verifications = identity.table(
  'verifications',
  {
    id: id(),
    identifier: text('identifier').notNull(),
    value: text('value').notNull(),
    expires_at: instant('expires_at').notNull(),
    created_at: createdAt(),
    updated_at: updatedAt(),
  },
  (t) => [index('verifications_identifier').on(t.identifier), identityRows('verifications')],
);

export const API_KEY_SCOPES = ['read', 'write'] as const;

export const apiKeys = identity.table(
  'api_keys',
  {
    id: id(),
    user_id: userId(),
    name: text('name').notNull(),
    /** The first characters, shown so that a person tells keys apart. */
    prefix: text('prefix').notNull(),
    /** SHA-256 of the whole key, hex: 256 random bits need no slow hash. */
    hash: text('hash').notNull(),
    scopes: text('scopes').array().notNull(),
    expires_at: instant('expires_at'),
    last_used_at: instant('last_used_at'),
    revoked_at: instant('revoked_at'),
    created_at: createdAt(),
  },
  (t) => [
    uniqueIndex('api_keys_hash_key').on(t.hash),
    index('api_keys_user').on(t.user_id, t.created_at, t.id),
    identityRows('api_keys'),
  ],
);

export const invitations = identity.table(
  'invitations',
  {
    id: id(),
    email: text('email').notNull(),
    token_hash: text('token_hash').notNull(),
    invited_by: uuid('invited_by').references(() => users.id, { onDelete: 'cascade' }),
    expires_at: instant('expires_at').notNull(),
    accepted_at: instant('accepted_at'),
    created_at: createdAt(),
  },
  (t) => [
    uniqueIndex('invitations_token_key').on(t.token_hash),
    index('invitations_open').on(t.created_at, t.id).where(sql`accepted_at is null`),
    identityRows('invitations'),
  ],
);
