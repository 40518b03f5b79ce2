import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';

/** The addresses of the logins that the web process works under. */
export interface WebLogins {
  web: string;
  identity: string;
}

/** Says where the database is; nothing connects before the first query. */
export function connect(logins: WebLogins): void {
  connectDatabase({ ...logins });
}

/** Closes every connection, the listening one too, after the last request. */
export async function disconnect(): Promise<void> {
  await silenceJobBell();
  await disconnectDatabase();
}
