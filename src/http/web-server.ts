import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { AppError } from '#/domain/app-error.ts';
import { refusedHost, refusedPath } from './addresses.ts';
import type { Api } from './api-env.ts';
import { errorResponse, rawErrorAnswer } from './error-response.ts';
import { closeStreams } from './event-stream.ts';
import type { PagePolicy } from './page-policy.ts';
import { securityHeaders } from './security-headers.ts';

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** The pages: who draws them and what each may run. */
export interface Pages {
  handle: NodeHandler;
  policy(path: string): PagePolicy;
}

const HEAD_BYTES_MAX = 16 * 1024;
const HEAD_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 30_000;
/** How often a body that arrives is looked at. */
const LOOK_MS = 1_000;
/** What a request may still take when the process is asked to end. */
const DRAIN_MS = 8_000;
const IDLE_LOOK_MS = 50;

const newRequestId = (): string => `req_${randomUUID()}`;

/** Listens; requests are handled once `serve` has been given the app. Rejects with a sentence when the address is taken. */
export async function listen(host: string, port: number): Promise<{ server: Server; port: number }> {
  const server = createServer({
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_TIMEOUT_MS,
    // Uploads may take hours; silence is what ends them, see `guardBody`.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(error, host, port)));
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  return { server, port: (server.address() as AddressInfo).port };
}

function unavailable(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(`Port ${port} on ${host} is taken by another program: stop it, or choose another with PORT=…`);
  if (error.code === 'EACCES') return new Error(`This account may not listen on port ${port}: choose one above 1023 with PORT=…`);
  if (error.code === 'EADDRNOTAVAIL') return new Error(`This machine has no address ${host}: see HOST=…`);
  return error;
}

const ANSWER_TO: Record<string, AppError> = {
  HPE_HEADER_OVERFLOW: new AppError('headers_too_large', `The request's headers are larger than ${HEAD_BYTES_MAX / 1024} KB`),
  ERR_HTTP_REQUEST_TIMEOUT: new AppError('request_timeout', 'The request did not arrive in time: send it again'),
};
const NO_HTTP = new AppError('invalid_request', 'This is not a request that HTTP/1.1 knows');

function refuseSocket(socket: Socket, error: AppError): void {
  if (socket.writable) socket.end(rawErrorAnswer(error, newRequestId()));
  else socket.destroy();
}

/** Ends a request whose body has gone silent. A body that waits for us (its bytes lie unread) is not silent. */
function guardBody(request: IncomingMessage, response: ServerResponse, timeout_ms: number): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if ((length === undefined || length === '0') && encoding === undefined) return;
  const { socket } = request;
  let seen = -1;
  let since = performance.now();
  const look = setInterval(
    () => {
      if (socket.bytesRead !== seen || request.readableLength > 0) {
        seen = socket.bytesRead;
        since = performance.now();
      } else if (performance.now() - since >= timeout_ms) {
        clearInterval(look);
        if (response.headersSent) socket.destroy();
        else refuseSocket(socket, new AppError('request_timeout', 'The body stopped arriving: send it again'));
      }
    },
    Math.min(LOOK_MS, timeout_ms / 4),
  );
  const done = () => clearInterval(look);
  request.once('end', done);
  request.once('close', done);
}

const isApiPath = (path: string): boolean => path === '/openapi.json' || path === '/api' || path.startsWith('/api/');

export interface Serving {
  api: Api;
  pages: Pages | null;
  base_url: string;
  allowed_hosts: string[];
  body_timeout_ms: number;
  log: Logger;
}

/** Handles requests from now on: API, streams and uploads by the app, everything else by the pages. */
export function serve(server: Server, serving: Serving): void {
  const { api, pages, log } = serving;
  const answerApi = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  const headers = Object.entries(securityHeaders(serving.base_url.startsWith('https:')));

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const refuse = (error: AppError, more: Record<string, string> = {}) =>
      void writeError(
        response,
        errorResponse(error, { path, request_id: newRequestId(), log }, { ...Object.fromEntries(headers), ...more }),
      );
    if (!server.listening) response.setHeader('Connection', 'close');
    // The raw target and Host are judged here, before anything rewrites them.
    const refused = refusedHost(serving.allowed_hosts, request.headers.host) ?? refusedPath(request.url ?? '');
    if (refused !== null) return refuse(refused);
    guardBody(request, response, serving.body_timeout_ms);
    if (isApiPath(path)) return void answerApi(request, response);
    if (pages === null) return refuse(new AppError('not_found', 'There is nothing at this path'));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(new AppError('method_not_allowed', 'Pages take GET, HEAD'), { Allow: 'GET, HEAD' });
    }
    const policy = pages.policy(path);
    // Next takes its nonce from this header of the request; what a client sent there counts for nothing.
    request.headers['content-security-policy'] =
      policy.nonce === null ? "script-src 'none'" : `script-src 'nonce-${policy.nonce}'`;
    for (const [name, value] of headers) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', policy.header);
    void Promise.resolve(pages.handle(request, response)).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else void writeError(response, errorResponse(error, { path, request_id: newRequestId(), log }));
    });
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseSocket(socket, ANSWER_TO[error.code ?? ''] ?? NO_HTTP),
  );
}

async function writeError(response: ServerResponse, error: Response): Promise<void> {
  const body = await error.text();
  response.writeHead(error.status, { ...Object.fromEntries(error.headers), 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Takes no new request, ends live streams, lets the rest finish for a few seconds, then closes whatever is left. */
export async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  closeStreams();
  // A connection whose last answer is out waits for another request, which it would not get.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(force);
  clearInterval(idle);
}
