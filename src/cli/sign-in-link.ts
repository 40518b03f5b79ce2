import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { env } from '#/env.ts';
import { ensureLocalOwner, isFirstRun } from '#/services/people/first-run.ts';
import { findPersonByEmail, type Person } from '#/services/people/person.ts';
import { createSignInLink } from '#/services/people/sign-in-link.ts';
import { CommandError } from './command-error.ts';
import { runningStudio } from './one-studio.ts';
import { openDatabase } from './open-database.ts';
import { LOCAL_OWNER } from './start-studio.ts';

/** `lowrank sign-in-link`: a link that signs a person, the owner unless said, in once. Only a studio that runs can open it. */
export async function signInLinkCommand(email: string | undefined): Promise<void> {
  const studio = runningStudio();
  if (studio === null)
    throw new CommandError(
      `No studio runs on the data directory ${env.data_dir}: start it first (npm start), or name another by LOWRANK_DATA_DIR`,
    );
  const database = await openDatabase(() => undefined);
  connectDatabase({ identity: database.logins.identity }, { connections_max: 1 });
  try {
    const person = await whom(email);
    console.log(`sign in as ${person.email} (once, 10 minutes): ${studio.url}${await createSignInLink(person.id, '/')}`);
  } finally {
    await disconnectDatabase();
    database.server?.release();
  }
}

async function whom(email: string | undefined): Promise<Person> {
  if (await isFirstRun())
    throw new CommandError('This studio has no owner yet: its terminal shows where the first account is made');
  if (email === undefined) return (await ensureLocalOwner(LOCAL_OWNER)).user;
  const person = await asIdentity((tx) => findPersonByEmail(tx, email));
  if (person === null) throw new CommandError(`Nobody in this studio has the e-mail ${email}`);
  return person;
}
