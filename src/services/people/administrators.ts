import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { users } from '#/db/schema/identity.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** Any fixed number: whatever takes an administrator away is done one after the other, so that one of them stays. */
const ADMINISTRATORS_LOCK = 7_205_913;

const inOffice = and(eq(users.role, 'administrator'), isNull(users.disabled_at));

/** Nobody else takes an administrator away until the transaction ends. */
export async function lockAdministrators(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${ADMINISTRATORS_LOCK})`);
}

/** Throws `forbidden` for who is no administrator, or none any more: a credential is believed for a few seconds. Call it under the lock. */
export async function refuseFormerAdministrator(tx: Tx, user_id: string): Promise<void> {
  const [me] = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(inOffice, eq(users.id, user_id)));
  if (me === undefined) throw new AppError('forbidden', 'Only administrators decide about people');
}

/** Throws `conflict` when nobody would look after the installation without this person. Call it under the lock. */
export async function refuseLastAdministrator(tx: Tx, user_id: string): Promise<void> {
  const [me] = await tx.select({ role: users.role }).from(users).where(eq(users.id, user_id));
  if (me?.role !== 'administrator') return;
  const others = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(inOffice, ne(users.id, user_id)))
    .limit(1);
  if (others.length > 0) return;
  throw new AppError('conflict', 'You are the last administrator of this installation: nobody could look after it then');
}
