import { boolean, customType, index, integer, pgPolicy, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { users } from './identity.ts';
import { createdAt, identityRole, identityRows, instant, lowrank, oneOf, ownRows } from './roles.ts';

const IDENTITY_ROUTES = ['POST /api/keys', 'POST /api/invitations', 'POST /api/gpu-catalog', 'POST /api/training-images'];

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** One row a creating request that named an `Idempotency-Key`: what it made, and what it was answered. */
export const idempotencyKeys = lowrank.table(
  'idempotency_keys',
  {
    user_id: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** method and path template, e.g. POST /api/jobs */
    route: text('route').notNull(),
    key: text('key').notNull(),
    /** SHA-256 (hex) of the canonical request: the same key with another request is a mistake; empty while the first is being sent */
    request_hash: text('request_hash').notNull(),
    resource_id: text('resource_id').notNull(),
    /** false: what was asked for was there already, and was answered as such */
    created: boolean('created').notNull().default(true),
    /** the body that was answered; null when the process ended between its commit and its answer */
    answer: bytes('answer'),
    created_at: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.user_id, t.route, t.key] }),
    index('idempotency_keys_user_created').on(t.user_id, t.created_at),
    ownRows('idempotency_keys'),
    // What the identity login makes, and nothing else: it has no business with the answers about jobs.
    pgPolicy('idempotency_keys_identity', {
      for: 'all',
      to: identityRole,
      using: oneOf('route', IDENTITY_ROUTES),
      withCheck: oneOf('route', IDENTITY_ROUTES),
    }),
  ],
);

/** Fixed windows, one row a bucket (`submit:USER`, `sign-in:HASH`): they outlive restarts and are shared by processes. */
export const rateLimits = lowrank.table(
  'rate_limits',
  {
    bucket: text('bucket').primaryKey(),
    window_started_at: instant('window_started_at').notNull(),
    used: integer('used').notNull(),
  },
  (t) => [index('rate_limits_started').on(t.window_started_at), identityRows('rate_limits')],
);
