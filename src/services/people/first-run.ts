import { asc, eq, sql } from 'drizzle-orm';
import { users } from '#/db/schema/identity.ts';
import { settings } from '#/db/schema/machine.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type NoteAllowance, takeAllowance, unheard } from '#/services/rate-limits/take-allowance.ts';
import { makeToken, sameHash, secretHash } from './one-time-token.ts';
import { openSession } from './open-session.ts';
import { hashNewPassword } from './password-rules.ts';
import { insertPerson, type Person } from './person.ts';
import type { SignedIn } from './sign-in.ts';

const SETTING = 'setup_token_hash';
const TRIES_PER_MINUTE = 10;
/** Any fixed number: whoever would be the first person waits at the same door. */
const FIRST_PERSON_LOCK = 7_205_912;

/** People of an identity provider may have come before their owner. */
const hasOwner = async (tx: Tx): Promise<boolean> =>
  (await tx.select({ id: users.id }).from(users).where(eq(users.role, 'administrator')).limit(1)).length > 0;

const lockFirstPerson = (tx: Tx) => tx.execute(sql`SELECT pg_advisory_xact_lock(${FIRST_PERSON_LOCK})`);

async function writeTokenHash(tx: Tx, value: string | null): Promise<void> {
  const json = sql`${JSON.stringify(value)}::jsonb`;
  await tx
    .insert(settings)
    .values({ key: SETTING, value: json })
    .onConflictDoUpdate({ target: settings.key, set: { value: json } });
}

/** Says if the installation still waits for its owner. */
export function isFirstRun(): Promise<boolean> {
  return asIdentity(async (tx) => !(await hasOwner(tx)));
}

/**
 * Makes the set-up token with which the first visitor becomes the owner: for the terminal to print. A later one replaces it.
 * Null when the installation has its owner.
 */
export function issueSetupToken(): Promise<string | null> {
  const token = makeToken();
  return asIdentity(async (tx) => {
    await lockFirstPerson(tx);
    if (await hasOwner(tx)) return null;
    await writeTokenHash(tx, secretHash(token));
    return token;
  });
}

async function checkFirst(tx: Tx, setup_token: string): Promise<void> {
  if (await hasOwner(tx)) throw new AppError('already_initialised', 'This installation has its owner already: sign in instead');
  const [row] = await tx.select({ value: settings.value }).from(settings).where(eq(settings.key, SETTING));
  if (typeof row?.value === 'string' && sameHash(row.value, secretHash(setup_token))) return;
  throw new AppError('forbidden', 'This is not the set-up token: copy the one that the terminal shows', [
    { path: 'setup_token', message: 'is not the one that the terminal shows', code: 'wrong_token' },
  ]);
}

/**
 * Makes the owner, once: of two at the same time one wins. Throws `forbidden` (token), `already_initialised`,
 * `invalid_request` (password) and `rate_limited`.
 */
export async function createFirstOwner(
  asked: { setup_token: string; name?: string; email: string; password: string },
  note: NoteAllowance = unheard,
): Promise<SignedIn> {
  note(await takeAllowance('first-run', TRIES_PER_MINUTE, 'Too many tries to set up'));
  await asIdentity((tx) => checkFirst(tx, asked.setup_token));
  const password_hash = await hashNewPassword(asked.password, asked.email);
  const user = await asIdentity(async (tx) => {
    await lockFirstPerson(tx);
    await checkFirst(tx, asked.setup_token);
    await writeTokenHash(tx, null);
    return insertPerson(tx, { name: asked.name, email: asked.email, role: 'administrator', password_hash });
  });
  return { user, session: await openSession(user.id) };
}

/**
 * The owner for commands on this very machine: the first administrator, made without a password where there is nobody yet
 * (then `createSignInLink` or `resetPassword` lets a person in).
 */
export function ensureLocalOwner(fields: { email: string; name: string }): Promise<{ user: Person; created: boolean }> {
  return asIdentity(async (tx) => {
    await lockFirstPerson(tx);
    const [first] = await tx
      .select({ id: users.id, name: users.name, email: users.email, role: users.role, created_at: users.created_at })
      .from(users)
      .where(eq(users.role, 'administrator'))
      .orderBy(asc(users.created_at), asc(users.id))
      .limit(1);
    if (first !== undefined) return { user: first, created: false };
    await writeTokenHash(tx, null);
    return { user: await insertPerson(tx, { ...fields, role: 'administrator', password_hash: null }), created: true };
  });
}
