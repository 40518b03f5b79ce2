import type { TokenRules } from '#/env.ts';
import { type AccessTokens, accessTokens } from '#/services/people/access-tokens.ts';
import { connect, disconnect, type WebLogins } from '#/services/settings/connect.ts';
import { sessionSecret } from '#/services/settings/session-secret.ts';

export type { WebLogins };

/** Makes ready what the app's verbs stand on. */
export async function openServices(options: {
  logins: WebLogins;
  data_dir: string;
  token_rules?: TokenRules | null;
}): Promise<{ auth_secret: string; access_tokens: AccessTokens | null; close(): Promise<void> }> {
  const auth_secret = await sessionSecret(options.data_dir);
  connect(options.logins);
  const { token_rules } = options;
  return { auth_secret, access_tokens: token_rules == null ? null : accessTokens(token_rules), close: disconnect };
}
