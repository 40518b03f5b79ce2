import { isIP } from 'node:net';
import { AppError } from '#/domain/app-error.ts';
import { isEverywhere, isReadOnTheWay, localOrigin, plainHttpRefusal } from '#/domain/listening.ts';

/** Names under which only this machine reaches us. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

export interface Addresses {
  /** What links and cookies follow: PUBLIC_URL, or where we listen. */
  base_url: string;
  allowed_hosts: string[];
}

const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/** What to say when others reach us and no TLS stands in front, and with what to refuse unless it is accepted; null otherwise. */
export const plainHttpDanger = (host: string, public_url: string | undefined): { warning: string; refusal: string } | null =>
  isReadOnTheWay(host, public_url)
    ? {
        warning: `plain HTTP on ${host}: everybody on the way can read passwords and keys`,
        refusal: plainHttpRefusal(host),
      }
    : null;

/** The Host values that we answer for: loopback with our port, where we listen, PUBLIC_URL and what the owner named. */
export function addressesOf(
  listening: { host: string; port: number },
  named: { public_url?: string; hosts: string[] },
): Addresses {
  const { host, port } = listening;
  const names = [...LOOPBACK, ...(isEverywhere(host) ? [] : [bracketed(host)]), ...named.hosts];
  const allowed = new Set<string>();
  for (const name of names.map((one) => one.toLowerCase())) {
    const has_port = /:\d+$/.test(name);
    allowed.add(has_port || port === 80 ? name : `${name}:${port}`);
  }
  for (const name of named.hosts) allowed.add(name.toLowerCase());
  if (named.public_url !== undefined) allowed.add(new URL(named.public_url).host);
  const base_url = named.public_url ?? localOrigin(host, port);
  return { base_url: new URL(base_url).origin, allowed_hosts: [...allowed] };
}

/** Why hosts are listed: a page of another name that resolves to us (DNS rebinding) must not be answered. */
export function refusedHost(allowed_hosts: string[], host: string | undefined): AppError | null {
  if (host !== undefined && allowed_hosts.includes(host.toLowerCase())) return null;
  return new AppError(
    'misdirected_request',
    'This studio does not answer under that Host name: use the address that it printed, or add the name to ALLOWED_HOSTS',
  );
}

/** Spellings of a path that two readers could read as two paths. */
const TRICKS = /%2e|%2f|%5c|%00|\\|\/\/|\/\.{1,2}(\/|$)|;/i;

/** Refuses a request target whose path is not written in its one plain form. `target` is the raw request line's. */
export function refusedPath(target: string): AppError | null {
  const path = target.split(/[?#]/, 1)[0] ?? '';
  if (path.startsWith('/') && !TRICKS.test(path) && decodes(path)) return null;
  return new AppError('not_found', 'There is nothing at this path');
}

function decodes(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export const changesState = (method: string): boolean => UNSAFE.has(method);

/**
 * Refuses a change that another site's page may have sent with this browser's cookie. A Bearer key is never sent by a
 * browser on its own, so it needs no such proof; neither does a client that is no browser and sends no cookie.
 */
export function refusedOrigin(
  base_url: string,
  request: { method: string; host: string; headers: Headers; cookie: boolean; bearer: boolean },
): AppError | null {
  if (!changesState(request.method) || request.bearer) return null;
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  const known = origin === null ? null : isOwnOrigin(base_url, request.host, origin);
  const proved = known === true || (known === null && site === 'same-origin');
  if (proved && (site === null || site === 'same-origin')) return null;
  if (origin === null && site === null && !request.cookie) return null;
  return new AppError(
    'origin_not_allowed',
    'Changes with a session cookie must come from the studio’s own pages; programs send an API key as Authorization: Bearer',
  );
}

/** `host` has already been found allowed. Behind https, its plain twin is another origin. */
function isOwnOrigin(base_url: string, host: string, origin: string): boolean {
  const base = new URL(base_url);
  if (origin === base.origin) return true;
  return base.host === host ? false : origin === `http://${host}`;
}
