import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { env } from '#/env.ts';
import { CommandError } from './command-error.ts';
import { runningStudio } from './one-studio.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

/** A client of the API like any other: an address and a key. */
export interface ApiClient {
  url: string;
  /** Sends JSON, answers JSON. Throws `CommandError` with every violation a line. */
  call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T>;
  /** Opens a streamed answer; the caller reads it. */
  open(path: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
  /** Streams a file as a raw body. `onSent` hears the bytes that left so far. */
  upload<T>(path: string, file: string, content_type: string, onSent: (bytes: number) => void): Promise<T>;
}

/** A client of the studio that this very process runs, with this machine's own key. */
export async function openLocalClient(url: string): Promise<ApiClient> {
  const key = await readPrivateFile(LOCAL_KEY_FILE());
  if (key === null) throw new CommandError(`There is no key of this machine at ${LOCAL_KEY_FILE()}`);
  return makeClient(url, key.trim());
}

interface Envelope {
  message?: string;
  code?: string;
  details?: unknown;
  violations?: { path: string; message: string }[];
  request_id?: string;
}

const LOGIN_FILE = () => join(env.data_dir, 'cli-login.json');
export const LOCAL_KEY_FILE = () => join(env.data_dir, 'local-key');

/** Remembers address and key for later commands, readable by this account alone. */
export async function rememberLogin(url: string, key: string): Promise<void> {
  await writePrivateFile(LOGIN_FILE(), `${JSON.stringify({ url, key })}\n`);
}

/** The key and address to use: LOWRANK_API_KEY, else `lowrank login`'s, else the key file of a studio on this machine. */
export async function openClient(): Promise<ApiClient> {
  const here = runningStudio()?.url ?? `http://127.0.0.1:${env.PORT}`;
  if (env.LOWRANK_API_KEY !== undefined) return makeClient(env.LOWRANK_URL ?? here, env.LOWRANK_API_KEY);
  const login = await readPrivateFile(LOGIN_FILE());
  if (login !== null) {
    const { url, key } = JSON.parse(login) as { url: string; key: string };
    return makeClient(env.LOWRANK_URL ?? url, key);
  }
  const local = await readPrivateFile(LOCAL_KEY_FILE());
  if (local !== null) return makeClient(env.LOWRANK_URL ?? here, local.trim());
  throw new CommandError(
    'No key to speak to a studio with. Start one here (npm start) and make its owner in the browser, run `npm run lowrank -- login`, or set LOWRANK_API_KEY.',
  );
}

function explain(status: number, body: Envelope): string {
  const rows = Array.isArray(body.details) ? (body.details as { path: string; message: string }[]) : (body.violations ?? []);
  const lines = rows.map((row) => `  ${row.path}: ${row.message}`);
  const id = status >= 500 && body.request_id !== undefined ? ` (request ${body.request_id})` : '';
  return [`${body.message ?? `The studio answered ${status}`}${id}`, ...lines].join('\n');
}

async function refuse(response: Response): Promise<never> {
  const text = await response.text();
  let body: Envelope = {};
  try {
    body = JSON.parse(text) as Envelope;
  } catch {
    body = { message: `The studio answered ${response.status}: ${text.slice(0, 200)}` };
  }
  throw new CommandError(explain(response.status, body));
}

export function makeClient(url: string, key: string): ApiClient {
  const authorization = { Authorization: `Bearer ${key}` };
  const reach = async (path: string, init: RequestInit): Promise<Response> => {
    try {
      return await fetch(new URL(path, url), init);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new CommandError(`No studio answers at ${url}. Start it with: npm start`);
    }
  };
  return {
    url,
    async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
      const response = await reach(path, {
        method,
        headers: { ...authorization, ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!response.ok) await refuse(response);
      return (await response.json()) as T;
    },
    async open(path, headers = {}, signal) {
      const response = await reach(path, { headers: { ...authorization, ...headers }, ...(signal && { signal }) });
      if (!response.ok) await refuse(response);
      return response;
    },
    async upload<T>(path: string, file: string, content_type: string, onSent: (bytes: number) => void): Promise<T> {
      const { size } = await stat(file);
      let sent = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _, done) {
          sent += chunk.length;
          onSent(sent);
          done(null, chunk);
        },
      });
      const response = await reach(path, {
        method: 'POST',
        headers: { ...authorization, 'Content-Type': content_type, 'Content-Length': String(size) },
        body: Readable.toWeb(createReadStream(file).pipe(counted)) as ReadableStream,
        duplex: 'half',
      } as RequestInit & { duplex: 'half' });
      if (!response.ok) await refuse(response);
      return (await response.json()) as T;
    },
  };
}

/** The name that an upload goes by: the file's own. */
export function fileLabel(file: string): string {
  return basename(file);
}
