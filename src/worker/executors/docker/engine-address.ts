/** Where the container engine listens, read from DOCKER_HOST and DOCKER_CERT_PATH as Docker's own client does. */
import { join } from 'node:path';

export type EngineAddress =
  | { kind: 'socket'; path: string }
  /** `certificates` is the folder of ca.pem, cert.pem and key.pem; null is plain HTTP. */
  | { kind: 'tcp'; host: string; port: number; certificates: string | null };

const DEFAULT_SOCKET = '/var/run/docker.sock';
const PLAIN_PORT = 2375;
const TLS_PORT = 2376;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The files of a folder of certificates, by Docker's names. */
export function certificateFiles(folder: string): Record<'ca' | 'cert' | 'key', string> {
  return { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}

/**
 * The engine's address, or in words why it is refused: whoever speaks to an engine is root on its machine, so only a local socket,
 * a loopback port or TLS with certificates will do.
 */
export function engineAddress(docker_host: string | undefined, cert_path: string | undefined): EngineAddress | string {
  if (docker_host === undefined || docker_host === '') return { kind: 'socket', path: DEFAULT_SOCKET };
  const [, path] = /^unix:\/\/(\/.+)$/.exec(docker_host) ?? [];
  if (path !== undefined) return { kind: 'socket', path };
  const [, host = '', port] = /^tcp:\/\/(\[[0-9a-f:]+\]|[^:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(docker_host) ?? [];
  const way = 'name a socket (unix:///var/run/docker.sock), or tcp://HOST:PORT';
  if (host === '') return `DOCKER_HOST=${docker_host} is no address that can be used: ${way}`;
  const certificates = cert_path === undefined || cert_path === '' ? null : cert_path;
  if (certificates === null && !LOOPBACK.test(host))
    return `DOCKER_HOST=${docker_host} would be spoken to without TLS: set DOCKER_CERT_PATH to the folder of its certificates, or ${way} on 127.0.0.1`;
  return {
    kind: 'tcp',
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? (certificates === null ? PLAIN_PORT : TLS_PORT)),
    certificates,
  };
}
