import { and, eq } from 'drizzle-orm';
import { accounts, sessions, users } from '#/db/schema/identity.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** What may be told of a person. */
export interface Person {
  id: string;
  name: string;
  email: string;
  role: 'administrator' | 'user';
  created_at: Date;
}

const COLUMNS = { id: users.id, name: users.name, email: users.email, role: users.role, created_at: users.created_at };

/** E-mails are kept and compared in one form. */
export const normalEmail = (email: string): string => email.trim().toLowerCase();

/** Reads one person. Throws `not_found`. */
export async function getPerson(user_id: string): Promise<Person> {
  const [person] = await asIdentity((tx) => tx.select(COLUMNS).from(users).where(eq(users.id, user_id)));
  if (person === undefined) throw new AppError('not_found', 'There is no such person');
  return person;
}

export async function findPersonByEmail(tx: Tx, email: string): Promise<Person | null> {
  const [person] = await tx
    .select(COLUMNS)
    .from(users)
    .where(eq(users.email, normalEmail(email)));
  return person ?? null;
}

/** Stores a person; with a password hash they can sign in by it. Throws `conflict` when the e-mail is taken. */
export async function insertPerson(
  tx: Tx,
  fields: { name?: string; email: string; role: Person['role']; password_hash: string | null },
): Promise<Person> {
  const email = normalEmail(fields.email);
  const [person] = await tx
    .insert(users)
    .values({ name: fields.name ?? email.split('@')[0] ?? email, email, role: fields.role })
    .onConflictDoNothing({ target: users.email })
    .returning(COLUMNS);
  if (person === undefined) throw new AppError('conflict', 'Somebody with this e-mail is here already: sign in instead');
  if (fields.password_hash !== null) await storePassword(tx, person.id, fields.password_hash);
  return person;
}

/** Makes `password_hash` the one that this person signs in with, and ends all their sessions. */
export async function replacePassword(tx: Tx, user_id: string, password_hash: string): Promise<void> {
  await storePassword(tx, user_id, password_hash);
  await tx.delete(sessions).where(eq(sessions.user_id, user_id));
}

async function storePassword(tx: Tx, user_id: string, password_hash: string): Promise<void> {
  const changed = await tx
    .update(accounts)
    .set({ password: password_hash })
    .where(isPassword(user_id))
    .returning({ id: accounts.id });
  if (changed.length > 0) return;
  await tx.insert(accounts).values({ user_id, account_id: user_id, provider_id: PASSWORD_PROVIDER, password: password_hash });
}

/** The stored hash of somebody's password; null for who has none. */
export async function readPasswordHash(tx: Tx, user_id: string): Promise<string | null> {
  const [account] = await tx.select({ password: accounts.password }).from(accounts).where(isPassword(user_id));
  return account?.password ?? null;
}

const PASSWORD_PROVIDER = 'credential';
const isPassword = (user_id: string) => and(eq(accounts.user_id, user_id), eq(accounts.provider_id, PASSWORD_PROVIDER));
