import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { OutboundError } from './outbound-error.ts';
import { hostOf, isTrusted, notPublic } from './outbound-url.ts';
import { isPublicAddress } from './public-address.ts';

/** What the guard goes by. The product's are `outboundMeans()`; a test gives its own. */
export interface OutboundMeans {
  /** Hosts, or hosts with a port, that the operator named: plain http, any port and inner addresses are meant there. */
  trusted: readonly string[];
  /** Every address of a host. */
  resolve(host: string, trusted: boolean): Promise<string[]>;
  isPublic(address: string): boolean;
}

const DNS_TIMEOUT_MS = 3_000;
const DNS_TRIES = 2;
const NO_SUCH = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME', 'EBADNAME']);
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/**
 * Every address of a host. Names of the internet are asked of DNS itself, which blocks no thread however slow somebody's
 * name server is; names that the operator trusts may stand in the hosts file.
 */
async function systemResolve(host: string, trusted: boolean): Promise<string[]> {
  if (trusted) return (await lookup(host, { all: true })).map(({ address }) => address);
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  const asked = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const addresses = asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return addresses;
  const failed = asked.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  throw failed.find((error) => !NO_SUCH.has(codeOf(error))) ?? failed[0];
}

/** The product's own means, with the operator's list. */
export function outboundMeans(trusted: readonly string[]): OutboundMeans {
  return { trusted, resolve: systemResolve, isPublic: isPublicAddress };
}

/**
 * The addresses of a URL that `outboundUrl` let through, all of them public or the host trusted. A connection goes to one
 * of these and asks nobody again, so that a name which answers otherwise the next time (DNS rebinding) leads nowhere.
 * Throws `OutboundError`.
 */
export async function checkedAddresses(url: URL, means: OutboundMeans): Promise<string[]> {
  const host = hostOf(url);
  const trusted = isTrusted(url, means.trusted);
  const addresses = isIP(host) === 0 ? await resolved(host, trusted, means) : [host];
  if (!trusted && !addresses.every((address) => means.isPublic(address))) throw notPublic();
  return addresses;
}

async function resolved(host: string, trusted: boolean, means: OutboundMeans): Promise<string[]> {
  const addresses = await means.resolve(host, trusted).catch((cause: unknown) => {
    if (NO_SUCH.has(codeOf(cause)))
      throw new OutboundError('host_unknown', 'must be a host that is known: its name has no address', { cause });
    throw new OutboundError('dns_failed', 'The name of the host could not be resolved', { cause });
  });
  if (addresses.length === 0) throw new OutboundError('host_unknown', 'must be a host that is known: its name has no address');
  return addresses;
}
