import { isIP } from 'node:net';
import { OutboundError } from './outbound-error.ts';

const LENGTH_MAX = 2048;
const PORTS = ['', '443', '8443'];
/** Names that only mean something inside of a network (RFC 6761, 6762, 8375, and what clouds use). */
const INNER_NAME = /(^|\.)(localhost|local|internal|lan|home\.arpa)$/;
const HTTPS = 'https:';

/** The host as the operator's list has it: in lower case, without brackets or a last dot. */
export function hostOf(url: URL): string {
  return url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

/** Whether the operator named this host, or this host and port: then plain http, other ports and inner addresses are meant. */
export function isTrusted(url: URL, trusted: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === HTTPS ? '443' : '80') : url.port;
  const host = hostOf(url);
  const named = isIP(host) === 6 ? `[${host}]` : host;
  return trusted.some((item) => item.toLowerCase() === named || item.toLowerCase() === `${named}:${port}`);
}

/**
 * Reads an address that somebody gave us as one that may be sent to, before anything is resolved: https (http for trusted
 * hosts), an ordinary port, no user info, one spelling. One parser reads it for the check and for the connection. Throws `OutboundError`.
 */
export function outboundUrl(text: string, trusted: readonly string[]): URL {
  const refuse = (message: string) => new OutboundError('invalid_url', message);
  if (text.length > LENGTH_MAX) throw refuse(`must have at most ${LENGTH_MAX} characters`);
  // The parser drops tabs and line breaks and takes a backslash for a slash: what is checked must be what was meant.
  if (/[\s\\\p{Cc}]/u.test(text)) throw refuse('must not hold spaces, control characters or backslashes');
  if (!URL.canParse(text)) throw refuse('must be a whole address such as https://hooks.example.org/lowrank');
  const url = new URL(text);
  if (url.protocol !== HTTPS && url.protocol !== 'http:') throw new OutboundError('https_required', 'must begin with https://');
  if (url.username !== '' || url.password !== '') throw refuse('must not hold a user name or password');
  if (url.hash !== '') throw refuse('must not hold a fragment (#…)');
  const host = hostOf(url);
  const written =
    /^https?:\/\/([^/?#]*)/i
      .exec(text)?.[1]
      ?.toLowerCase()
      .replace(/:\d*$/, '')
      .replace(/^\[|\]$/g, '') ?? '';
  if (isIP(host) === 4 && written !== host)
    throw refuse(`must have its address written as ${host}, not in octal, hexadecimal or any other way`);
  if (isTrusted(url, trusted)) return url;
  if (url.protocol !== HTTPS) throw new OutboundError('https_required', 'must begin with https://');
  if (!PORTS.includes(url.port))
    throw new OutboundError('port_not_allowed', `must be at port ${PORTS.filter((port) => port !== '').join(' or ')}`);
  if (isIP(host) === 0 && (!host.includes('.') || INNER_NAME.test(host))) throw notPublic();
  return url;
}

/** The same words for every inner address, so that nobody learns from them what there is inside. */
export const notPublic = (): OutboundError =>
  new OutboundError('address_not_public', 'must be a host of the public internet: an administrator can allow others');
