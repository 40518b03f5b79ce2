import { and, desc, eq, isNull } from 'drizzle-orm';
import { invitations, users } from '#/db/schema/identity.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';

/** An invitation as administrators see it: never its token, of which only a hash is kept. */
export interface OpenInvitation {
  id: string;
  email: string;
  invited_by: string | null;
  expires_at: Date;
  created_at: Date;
}

const isOpen = isNull(invitations.accepted_at);

function checkAdministrator(ctx: Context): void {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators see and take back invitations');
}

/** One page of the invitations that nobody has accepted, newest first, those whose time is over too. Throws `forbidden` and `invalid_request` (cursor). */
export function listOpenInvitations(ctx: Context, page: PageQuery): Promise<Paged & { invitations: OpenInvitation[] }> {
  checkAdministrator(ctx);
  return asIdentity(async (tx) => {
    const rows = await tx
      .select({
        id: invitations.id,
        email: invitations.email,
        invited_by: users.name,
        expires_at: invitations.expires_at,
        created_at: invitations.created_at,
      })
      .from(invitations)
      .leftJoin(users, eq(users.id, invitations.invited_by))
      .where(and(isOpen, await behindCursor(tx, invitations, page.after)))
      .orderBy(desc(invitations.created_at), desc(invitations.id))
      .limit(oneMore(page))
      .offset(skipped(page));
    const { rows: found, next_cursor } = cutPage(rows, page.limit, ({ id }) => id);
    return { invitations: found, ...(await countRows(tx, ctx.user_id, invitations, isOpen)), next_cursor };
  });
}

/** Takes an invitation back. Throws `forbidden`, and `not_found` for one that is gone or was accepted. */
export async function revokeInvitation(ctx: Context, id: string): Promise<void> {
  checkAdministrator(ctx);
  const gone = await asIdentity((tx) =>
    tx
      .delete(invitations)
      .where(and(eq(invitations.id, id), isOpen))
      .returning({ id: invitations.id }),
  );
  if (gone.length === 0) throw new AppError('not_found', 'There is no open invitation of this id: it may have been accepted');
}
