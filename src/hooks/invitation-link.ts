/** What an invitation link carries behind its #: `TOKEN`, or `TOKEN&email=ada%40example.org`. */
export function readInvitation(hash: string): { token: string; email: string | null } {
  const [token = '', ...rest] = hash.split('&');
  return { token, email: new URLSearchParams(rest.join('&')).get('email') };
}
