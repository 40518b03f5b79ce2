/**
 * The one way out: every request of ours to an address that somebody gave goes through `sendOutbound`. It reads the address
 * (`outboundUrl`), resolves it once, refuses what is not public (`checkedAddresses`), connects to just those addresses, follows
 * no redirect, uses no proxy of the environment, unpacks nothing, and bounds time and answer.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { checkedAddresses, type OutboundMeans } from './checked-addresses.ts';
import { OutboundError } from './outbound-error.ts';
import { outboundUrl } from './outbound-url.ts';

export interface OutboundRequest {
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** From the first look at the name to the last byte that is read. */
  timeout_ms: number;
  /** Bytes of the answer's body that are read: more fails. 0, the default, answers at its head and reads none. */
  response_bytes_max?: number;
  /** Ends it early. */
  signal?: AbortSignal;
}

export interface OutboundAnswer {
  /** As it came: a redirect is an answer like any other. */
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sends one request to a host that may be sent to. Throws `OutboundError`. */
export async function sendOutbound(asked: OutboundRequest, means: OutboundMeans): Promise<OutboundAnswer> {
  const url = outboundUrl(asked.url, means.trusted);
  const deadline = AbortSignal.timeout(asked.timeout_ms);
  const ended = asked.signal === undefined ? deadline : AbortSignal.any([deadline, asked.signal]);
  const over = Promise.withResolvers<never>();
  const onEnd = () =>
    over.reject(
      deadline.aborted
        ? new OutboundError('timeout', `There was no answer within ${asked.timeout_ms / 1000} s`)
        : new OutboundError('stopped', 'The request was stopped'),
    );
  if (ended.aborted) onEnd();
  ended.addEventListener('abort', onEnd, { once: true });
  over.promise.catch(() => undefined);
  try {
    const addresses = await Promise.race([checkedAddresses(url, means), over.promise]);
    return await Promise.race([exchange(url, addresses, asked, ended), over.promise]);
  } finally {
    ended.removeEventListener('abort', onEnd);
  }
}

/** Answers a connection's question for the host's addresses with those that were checked. */
function pinned(addresses: string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };
}

function exchange(url: URL, addresses: string[], asked: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
  return new Promise((resolve, reject) => {
    const body = asked.body === undefined ? undefined : Buffer.from(asked.body);
    const sent = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: asked.method,
      headers: { 'accept-encoding': 'identity', ...asked.headers, ...(body && { 'content-length': String(body.length) }) },
      // A connection of its own: one that is kept would be used without a look at its address.
      agent: false,
      lookup: pinned(addresses),
      signal,
    });
    sent.on('error', (cause) => reject(failure(cause)));
    sent.on('response', (answer) => {
      const told = { status: answer.statusCode ?? 0, headers: answer.headers };
      readBody(answer, asked.response_bytes_max ?? 0)
        .then((read) => resolve({ ...told, body: read }), reject)
        .finally(() => sent.destroy());
    });
    sent.end(body);
  });
}

async function readBody(answer: IncomingMessage, bytes_max: number): Promise<Buffer> {
  // What is left unread may still break: nobody cares any more.
  answer.on('error', () => undefined);
  if (bytes_max === 0) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytes_max) throw new OutboundError('response_too_large', `The answer is larger than ${bytes_max} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw failure(cause);
  }
  return Buffer.concat(chunks);
}

function failure(cause: unknown): OutboundError {
  if (cause instanceof OutboundError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (/^ERR_(TLS|SSL)|CERT|SELF_SIGNED|UNABLE_TO_|EPROTO/.test(code))
    return new OutboundError('tls_failed', 'The host has no valid certificate, or speaks no TLS', { cause });
  return new OutboundError('connection_failed', 'The connection was refused or broke', { cause });
}
