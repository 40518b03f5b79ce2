import { connect, disconnect, type WebLogins } from '#/services/settings/connect.ts';
import { sessionSecret } from '#/services/settings/session-secret.ts';

export type { WebLogins };

/** Makes ready what the app's verbs stand on. */
export async function openServices(options: {
  logins: WebLogins;
  data_dir: string;
}): Promise<{ auth_secret: string; close(): Promise<void> }> {
  const auth_secret = await sessionSecret(options.data_dir);
  connect(options.logins);
  return { auth_secret, close: disconnect };
}
