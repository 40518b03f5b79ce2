import { sql } from 'drizzle-orm';
import { pgPolicy, pgRole, pgSchema, timestamp, uuid } from 'drizzle-orm/pg-core';

/** What belongs to tenants and the machinery around their jobs. */
export const lowrank = pgSchema('lowrank');
/** People: who they are and how they prove it. Only the identity login reads it. */
export const identity = pgSchema('identity');

/** The logins that `migrate` makes. None is a superuser, owns a table or bypasses a policy. */
export const webRole = pgRole('lowrank_web').existing();
export const schedulerRole = pgRole('lowrank_scheduler').existing();
export const identityRole = pgRole('lowrank_identity').existing();
export const deliveryRole = pgRole('lowrank_delivery').existing();

/** The caller's id as Supabase's `auth.uid()` tells it, evaluated once a statement. */
const caller = sql`(select auth.uid())`;

/** Own rows for whoever has the grant (our web login, or a Supabase caller through PostgREST). */
export const ownRows = (table: string) =>
  pgPolicy(`${table}_own`, { for: 'all', to: 'public', using: sql`user_id = ${caller}`, withCheck: sql`user_id = ${caller}` });

/** The scheduler works for everybody; its grants say on which columns. */
export const schedulerRows = (table: string) =>
  pgPolicy(`${table}_scheduler`, { for: 'all', to: schedulerRole, using: sql`true`, withCheck: sql`true` });

export const identityRows = (table: string) =>
  pgPolicy(`${table}_identity`, { for: 'all', to: identityRole, using: sql`true`, withCheck: sql`true` });

/** The sender of webhooks delivers for everybody; it reaches nothing but them. */
export const deliveryRows = (table: string) =>
  pgPolicy(`${table}_delivery`, { for: 'all', to: deliveryRole, using: sql`true`, withCheck: sql`true` });

export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
export const id = () => uuid('id').primaryKey().defaultRandom();
export const createdAt = () => instant('created_at').notNull().defaultNow();
export const updatedAt = () => instant('updated_at').notNull().defaultNow();

/** A CHECK list of a domain's own words. */
export const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);
