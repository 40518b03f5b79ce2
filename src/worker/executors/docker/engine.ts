/** The container engine's HTTP API, as Docker documents it: one request, one answer. */
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import * as z from 'zod';
import { certificateFiles, type EngineAddress } from './engine-address.ts';

/** The engine cannot be spoken to now: nothing is known of what it does, and the same may go well later. */
export class EngineAway extends Error {
  constructor(reason: string) {
    super(`the container engine does not answer (${reason})`);
    this.name = 'EngineAway';
  }
}

/** The engine has answered, and it was no. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineRefusal';
    this.status = status;
  }
}

export interface EngineRequest {
  query?: Record<string, string>;
  body?: unknown;
  within_ms?: number;
}

export interface Engine {
  /** If it runs on this host, as far as its address tells. */
  is_local: boolean;
  /** Answers the parsed body, null for an empty one. Throws `EngineAway` and `EngineRefusal`. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, request?: EngineRequest): Promise<unknown>;
  /** A body that comes bit by bit. Throws as `ask` does; a break while it comes is an error of the stream. */
  follow(path: string, query: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage>;
  /** Which engine it is; asked anew after it was away. */
  about(): Promise<EngineVersion>;
}

const Version = z.looseObject({
  ApiVersion: z.string().regex(/^1\.\d+$/),
  Version: z.string().default(''),
  Components: z.array(z.looseObject({ Name: z.string() })).nullish(),
});

export interface EngineVersion {
  version: string;
  /** The second number of the API's version that is spoken: 41 for 1.41. */
  api: number;
  is_podman: boolean;
}

/** Docker 20.10, the oldest that Debian 11 and later and the NVIDIA toolkit go with. */
const API_MIN = 41;
/** The newest one whose words were read. */
const API_MAX = 47;
const ANSWER_MS = 30_000;
/** An answer of the engine is far below this; its logs come by `follow`. */
const ANSWER_BYTES_MAX = 64 * 1024 ** 2;

export function dockerEngine(address: EngineAddress): Engine {
  let about: Promise<EngineVersion> | undefined;

  const open = (method: string, path: string, { query, body }: EngineRequest, signal: AbortSignal): Promise<IncomingMessage> => {
    const words = new URLSearchParams(query).toString();
    const data = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      path: words === '' ? path : `${path}?${words}`,
      // A connection that is kept may be one to an engine that is gone.
      agent: false as const,
      signal,
      headers: {
        host: 'docker',
        ...(data !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) }),
      },
    };
    return new Promise((resolve, reject) => {
      const asked = connect(address, options, resolve);
      // Each of them: one after the answer, which nobody hears, would end the process.
      asked.on('error', (error: NodeJS.ErrnoException) =>
        reject(new EngineAway(signal.aborted ? 'it took too long' : (error.code ?? error.message))),
      );
      asked.end(data);
    });
  };

  const send = async (method: string, path: string, request: EngineRequest): Promise<unknown> => {
    const signal = AbortSignal.timeout(request.within_ms ?? ANSWER_MS);
    const answer = await open(method, path, request, signal);
    const text = await readAll(answer);
    if (answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300) {
      return text.trim() === '' || !answer.headers['content-type']?.includes('json') ? null : JSON.parse(text);
    }
    throw refusal(answer.statusCode ?? 0, text);
  };

  const learn = (): Promise<EngineVersion> => {
    about ??= send('GET', '/version', {}).then((said) => {
      const { ApiVersion, Version: version, Components } = Version.parse(said);
      const is_podman = (Components ?? []).some(({ Name }) => /podman/i.test(Name));
      const newest = Number(ApiVersion.slice(2));
      if (newest < API_MIN) throw new EngineRefusal(400, `Docker ${version} is too old: 20.10 or later is needed`);
      return { version, api: Math.min(newest, API_MAX), is_podman };
    });
    about.catch(() => {
      about = undefined;
    });
    return about;
  };

  const versioned = async <T>(path: string, work: (path: string) => Promise<T>): Promise<T> => {
    const { api } = await learn();
    try {
      return await work(`/v1.${api}${path}`);
    } catch (error) {
      // Another one may come back in its place.
      if (error instanceof EngineAway) about = undefined;
      throw error;
    }
  };

  return {
    is_local: address.kind === 'socket' || address.certificates === null,
    about: learn,
    ask: (method, path, request = {}) => versioned(path, (whole) => send(method, whole, request)),
    follow: (path, query, signal) =>
      versioned(path, async (whole) => {
        const answer = await open('GET', whole, { query }, signal);
        if (answer.statusCode === 200) return answer;
        throw refusal(answer.statusCode ?? 0, await readAll(answer));
      }),
  };
}

function connect(address: EngineAddress, options: object, onAnswer: (answer: IncomingMessage) => void) {
  if (address.kind === 'socket') return plainRequest({ ...options, socketPath: address.path }, onAnswer);
  const { host, port, certificates } = address;
  if (certificates === null) return plainRequest({ ...options, host, port }, onAnswer);
  const files = certificateFiles(certificates);
  const [ca, cert, key] = [files.ca, files.cert, files.key].map((path) => readFileSync(path));
  return tlsRequest({ ...options, host, port, ca, cert, key, ...(isIP(host) === 0 && { servername: host }) }, onAnswer);
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error('its answer is too long');
      parts.push(part);
    }
  } catch (error) {
    throw new EngineAway((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
  return Buffer.concat(parts).toString('utf8');
}

const Refused = z.looseObject({ message: z.string() });

function refusal(status: number, text: string): EngineRefusal | EngineAway {
  let message = text.trim();
  try {
    message = Refused.parse(JSON.parse(text)).message;
  } catch {
    // Not the engine's own form: told as it came.
  }
  return status === 503 ? new EngineAway(message) : new EngineRefusal(status, message || `it answered ${status}`);
}
