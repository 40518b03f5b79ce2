import { isLoopback } from '#/domain/listening.ts';

/** What an invitation link carries behind its #: `TOKEN`, or `TOKEN&email=ada%40example.org`. */
export function readInvitation(hash: string): { token: string; email: string | null } {
  const [token = '', ...rest] = hash.split('&');
  return { token, email: new URLSearchParams(rest.join('&')).get('email') };
}

/** Whether a link leads to this machine alone: an installation without PUBLIC_URL makes such ones. */
export function leadsHereOnly(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'));
}
