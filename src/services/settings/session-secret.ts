import { installationSecret } from './installation-secret.ts';

/** The secret that signs session cookies. It never is in the database, so a copy of that opens no session. */
export function sessionSecret(data_dir: string): Promise<string> {
  return installationSecret(data_dir, 'session-secret', 'remove it, and everybody signs in again');
}
