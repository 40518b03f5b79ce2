import { and, eq, isNull, sql } from 'drizzle-orm';
import { invitations } from '#/db/schema/identity.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { makeToken, secretHash } from './one-time-token.ts';
import { findPersonByEmail, normalEmail } from './person.ts';

const VALID_DAYS = 7;
const COLUMNS = { id: invitations.id, email: invitations.email, expires_at: invitations.expires_at };

export interface Invitation {
  id: string;
  email: string;
  expires_at: Date;
  /** Told this once; null when the same request is told again, for only its hash is kept. */
  token: string | null;
}

/**
 * Invites an e-mail; an earlier invitation of it ends. Throws `forbidden` (not an administrator), `conflict` (is here already)
 * and `not_found` (told again, and replaced since, where the first answer was lost).
 */
export function createInvitation(ctx: Context, asked: { email: string }, hooks: CreationHooks = {}): Promise<Invitation> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators invite people');
  const email = normalEmail(asked.email);
  const token = makeToken();
  return asIdentity(async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { ...(await findInvitation(tx, known)), token: null };
    if ((await findPersonByEmail(tx, email)) !== null)
      throw new AppError('conflict', 'Somebody with this e-mail is here already');
    await tx.delete(invitations).where(and(eq(invitations.email, email), isNull(invitations.accepted_at)));
    const [made] = await tx
      .insert(invitations)
      .values({
        email,
        token_hash: secretHash(token),
        invited_by: ctx.user_id,
        expires_at: sql`clock_timestamp() + make_interval(days => ${VALID_DAYS})`,
      })
      .returning(COLUMNS);
    if (made === undefined) throw new Error('the insert of an invitation returned no row');
    await hooks.after?.(tx, made.id);
    return { ...made, token };
  });
}

async function findInvitation(tx: Tx, id: string): Promise<Omit<Invitation, 'token'>> {
  const [found] = await tx.select(COLUMNS).from(invitations).where(eq(invitations.id, id));
  if (found === undefined) throw new AppError('not_found', 'The invitation of this Idempotency-Key has been replaced since');
  return found;
}

/** Uses an invitation up, in the transaction that makes its person. Throws `invitation_required` when it is not good for this e-mail. */
export async function acceptInvitation(tx: Tx, token: string, email: string): Promise<void> {
  const accepted = await tx
    .update(invitations)
    .set({ accepted_at: sql`clock_timestamp()` })
    .where(
      and(
        eq(invitations.token_hash, secretHash(token)),
        eq(invitations.email, normalEmail(email)),
        isNull(invitations.accepted_at),
        sql`${invitations.expires_at} > clock_timestamp()`,
      ),
    )
    .returning({ id: invitations.id });
  if (accepted.length > 0) return;
  throw new AppError('invitation_required', 'This invitation is used up, too old or for another e-mail: ask for a new one');
}
