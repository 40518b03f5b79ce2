import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';

/** The addresses of the logins that the web process works under. */
export interface WebLogins {
  web: string;
  identity: string;
}

/** Says where the database is; nothing connects before the first query. */
export function connect(logins: WebLogins): void {
  connectDatabase({ ...logins });
}

/** Closes every connection, after the last request. */
export function disconnect(): Promise<void> {
  return disconnectDatabase();
}
