import { and, eq, gt, sql } from 'drizzle-orm';
import { verifications } from '#/db/schema/identity.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { makeToken, secretHash } from './one-time-token.ts';
import { openSession } from './open-session.ts';
import { getPerson } from './person.ts';
import type { SignedIn } from './sign-in.ts';

const VALID_MINUTES = 10;

const identifierOf = (token: string): string => `sign-in-link:${secretHash(token)}`;

/** A path on this site and nothing that a browser would read as another one, also once its dots are resolved. */
const isOwnPath = (path: string): boolean =>
  /^\/(?![/\\])[^\\\s]*$/.test(path) && URL.parse(path, 'http://localhost')?.pathname.startsWith('//') === false;

/**
 * Makes a link that signs somebody in once, within 10 minutes, and leads to `path`. Answers the link without its origin: the
 * token stands behind `#`, so no server log and no prefetch ever uses it up; the page sends it with POST.
 */
export async function createSignInLink(user_id: string, path: string): Promise<string> {
  if (!isOwnPath(path)) throw new AppError('invalid_request', 'path must be a path on this site, such as /jobs');
  const token = makeToken();
  await asIdentity(async (tx) => {
    await tx.delete(verifications).where(sql`${verifications.expires_at} < clock_timestamp()`);
    await tx.insert(verifications).values({
      identifier: identifierOf(token),
      value: JSON.stringify({ user_id, path }),
      expires_at: sql`clock_timestamp() + make_interval(mins => ${VALID_MINUTES})`,
    });
  });
  return `/sign-in/link#${token}`;
}

/** Uses a link's token up and signs its person in. Throws `forbidden` when it is unknown, used or too old. */
export async function redeemSignInLink(token: string): Promise<SignedIn & { path: string }> {
  const [used] = await asIdentity((tx) =>
    tx
      .delete(verifications)
      .where(and(eq(verifications.identifier, identifierOf(token)), gt(verifications.expires_at, sql`clock_timestamp()`)))
      .returning({ value: verifications.value }),
  );
  if (used === undefined)
    throw new AppError('forbidden', 'This link has been used or is too old: sign in, or ask for a new link');
  const { user_id, path } = JSON.parse(used.value) as { user_id: string; path: string };
  return { user: await getPerson(user_id), session: await openSession(user_id), path };
}
