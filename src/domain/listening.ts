/** Says if an address to listen on is reached by this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Says if listening on it means every address of this machine: no client can be sent there. */
export const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** Says if everybody on the way can read passwords and keys: others reach us, and no TLS stands in front. */
export const isReadOnTheWay = (host: string, public_url: string | undefined): boolean =>
  !isLoopback(host) && public_url?.startsWith('https:') !== true;

/** Where a client on this machine finds who listens there. */
export function localOrigin(host: string, port: number): string {
  const name = isEverywhere(host) ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** What a start says that would be read on the way and was not told to accept it. */
export const plainHttpRefusal = (host: string): string =>
  `HOST=${host} is reached by others, and without TLS everybody on the way reads passwords and keys. Put a TLS proxy in front and set PUBLIC_URL=https://…, or accept it with ALLOW_PLAIN_HTTP=1.`;
