import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { AppError } from '#/domain/app-error.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { refusedHost, refusedPath } from './addresses.ts';
import type { Api } from './api-env.ts';
import { errorResponse, rawErrorAnswer } from './error-response.ts';
import { closeStreams } from './event-stream.ts';
import type { PagePolicy } from './page-policy.ts';
import { apiHeaders, securityHeaders } from './security-headers.ts';
import { refusal } from './violations.ts';

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** The pages: who draws them and what each may run. */
export interface Pages {
  handle: NodeHandler;
  policy(path: string): PagePolicy;
}

const HEAD_BYTES_MAX = 16_000;
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
    // Node would refuse it with an empty body: `refusedHead` does with ours.
    requireHostHeader: false,
    // Nothing here speaks another protocol: such a request is one as any other, whoever listens for it (Next does).
    shouldUpgradeCallback: () => false,
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
  HPE_HEADER_OVERFLOW: new AppError('headers_too_large', `The request's headers are larger than ${formatBytes(HEAD_BYTES_MAX)}`),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new AppError('payload_too_large', 'The chunks of this body carry more than data'),
  ERR_HTTP_REQUEST_TIMEOUT: new AppError('request_timeout', 'The request did not arrive in time: send it again'),
};
const NO_HTTP = new AppError('invalid_request', 'This is not a request that HTTP/1.1 knows');
const NO_PROXY = new AppError('invalid_request', 'This studio is no proxy: send the request itself');
const UNKNOWN_EXPECTATION = new AppError('expectation_failed', 'Expect takes 100-continue and nothing else');

/** The answer that each connection waits for or is being given. */
const answering = new WeakMap<Duplex, ServerResponse>();

/** Answers on a bare connection and ends it. In the middle of another answer no second one can be told from it. */
function refuseSocket(socket: Duplex, error: AppError, headers: Record<string, string>): void {
  const response = answering.get(socket);
  const in_answer = response?.headersSent === true && !response.writableFinished;
  if (socket.writable && !in_answer) socket.end(rawErrorAnswer(error, newRequestId(), headers));
  else socket.destroy();
}

/** Which of two Host lines counts is anybody’s guess, and HTTP/1.1 wants one. */
function refusedHead(request: IncomingMessage): AppError | null {
  const hosts = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && request.httpVersion === '1.0')) return null;
  return refusal([{ path: 'Host', message: 'must be sent exactly once', code: 'invalid_host' }]);
}

/** Ends a request whose body has gone silent. A body that waits for us (its bytes lie unread) is not silent. */
function guardBody(
  request: IncomingMessage,
  response: ServerResponse,
  timeout_ms: number,
  headers: Record<string, string>,
): void {
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
        else refuseSocket(socket, new AppError('request_timeout', 'The body stopped arriving: send it again'), headers);
      }
    },
    Math.min(LOOK_MS, timeout_ms / 4),
  );
  const done = () => clearInterval(look);
  request.once('end', done);
  request.once('close', done);
}

/** What is a program’s address and no page’s, also where nothing answers yet. */
const API_PATHS = /^\/(api|metrics|openapi\.json)(\/|$)/;

/** Named by their content: what Next says of them, that they never change, is true. */
const BUILT_FILES = '/_next/static/';

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
  const refused_headers = apiHeaders(serving.base_url);
  const page_headers = Object.entries(securityHeaders(serving.base_url));
  const answerApi = getRequestListener(api.fetch, {
    overrideGlobalObjects: false,
    errorHandler: (error) => errorResponse(error, { path: '', request_id: newRequestId(), log }, refused_headers),
  });
  const refuse = (request: IncomingMessage, response: ServerResponse, error: unknown, more: Record<string, string> = {}) => {
    const told = errorResponse(
      error,
      { path: pathOf(request), request_id: newRequestId(), log },
      { ...refused_headers, ...more },
    );
    void writeError(response, told);
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    answering.set(request.socket, response);
    const path = pathOf(request);
    if (!server.listening) response.setHeader('Connection', 'close');
    // The raw target and Host are judged here, before anything rewrites them.
    const refused =
      refusedHead(request) ?? refusedHost(serving.allowed_hosts, request.headers.host) ?? refusedPath(request.url ?? '');
    if (refused !== null) return refuse(request, response, refused);
    guardBody(request, response, serving.body_timeout_ms, refused_headers);
    if (API_PATHS.test(path)) return void answerApi(request, response);
    if (pages === null) return refuse(request, response, new AppError('not_found', 'There is nothing at this path'));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(request, response, new AppError('method_not_allowed', 'Pages take GET, HEAD'), { Allow: 'GET, HEAD' });
    }
    const policy = pages.policy(path);
    // Next takes its nonce from this header of the request; what a client sent there counts for nothing.
    request.headers['content-security-policy'] =
      policy.nonce === null ? "script-src 'none'" : `script-src 'nonce-${policy.nonce}'`;
    for (const [name, value] of page_headers) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', policy.header);
    // Next would have caches keep a page for a year, past the build whose chunks and hashes it names; what is set it leaves.
    if (!path.startsWith(BUILT_FILES)) response.setHeader('Cache-Control', 'private, no-cache');
    void Promise.resolve(pages.handle(request, response)).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(request, response, error);
    });
  };

  server.on('request', handle);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // Whoever asks first is answered first: a body is asked for when something begins to read it.
    request.once('resume', () => {
      if (!response.headersSent) response.writeContinue();
    });
    // After another answer nobody can tell if the body still comes.
    response.setHeader('Connection', 'close');
    handle(request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    refuse(request, response, UNKNOWN_EXPECTATION, { Connection: 'close' }),
  );
  server.on('connect', (_, socket: Duplex) => refuseSocket(socket, NO_PROXY, refused_headers));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
    refuseSocket(socket, ANSWER_TO[error.code ?? ''] ?? NO_HTTP, refused_headers),
  );
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '').split('?', 1)[0] ?? '';

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
