/** A local server that speaks as much of the Hub's protocol as importing and pushing need, and misbehaves when it is told to. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { blobId, type Files, type HubWrites, hubWrites, isLarge, sha } from './hub-writes.ts';

/** What the server has and does; all of it may be changed between two requests. */
export interface TestHub extends HubWrites {
  url: string;
  /** Files by repository: `owner/name` is a model, `datasets/owner/name` a dataset. */
  repos: Record<string, Files>;
  /** The card of a dataset, as its README begins. */
  cards: Record<string, unknown>;
  /** Branches and tags, with the commit that each names. */
  revisions: Record<string, string>;
  /** The commit of `main` at the start. */
  commit: string;
  /** Repositories that ask for consent, and the tokens that have it. */
  gated: string[];
  tokens: string[];
  /** Everybody may list what is gated: only its files want a token. */
  lists_gated: boolean;
  /** Called after each listing. */
  onListed: () => void;
  /** Tokens that nobody has: nothing is told to them, what is public included. */
  unknown_tokens: string[];
  /** What everything about a repository is answered. */
  refuse: { status: number; code: string } | null;
  /** The next answers, whatever is asked. */
  busy: { status: number; retry_after?: number }[];
  /** The next large file breaks off after so many bytes. */
  cut_after: number | null;
  /** Large files stop after so many bytes, until the client goes away. */
  stall_after: number | null;
  /** Resolves when the next large file has stopped. */
  stalled(): Promise<void>;
  /** Resolves when the client of a large file has gone away. */
  left(): Promise<void>;
  /** Requests in their order. */
  asked: { method: string; path: string; range: string | null; token: string | null }[];
  close(): void;
}

function siblings(files: Files) {
  return Object.entries(files).map(([rfilename, content]) => {
    const size = Buffer.byteLength(content);
    const lfs = isLarge(rfilename) ? { lfs: { size, sha256: sha('sha256', content), pointerSize: 134 } } : {};
    return { rfilename, size, blobId: blobId(content), ...lfs };
  });
}

/** Bytes of what a broken fetch left in a staging folder. */
export function partBytes(staged: string): number {
  const parts = join(staged, '.parts');
  if (!existsSync(parts)) return 0;
  return readdirSync(parts).reduce((sum, name) => sum + statSync(join(parts, name)).size, 0);
}

/** Starts it. What is not there is refused as the Hub does, `gated` repositories for want of access. */
export async function startHub(repos: Record<string, Files>, gated: string[] = []): Promise<TestHub> {
  const commit = 'c0ffee'.padEnd(40, '0');
  let onStall: (() => void)[] = [];
  let onLeft: (() => void)[] = [];
  const hub: TestHub = {
    url: '',
    repos,
    cards: {},
    revisions: { main: commit, v1: commit },
    commit,
    gated,
    tokens: [],
    lists_gated: false,
    onListed: () => undefined,
    unknown_tokens: [],
    refuse: null,
    busy: [],
    cut_after: null,
    stall_after: null,
    stalled: () => new Promise((resolve) => onStall.push(resolve)),
    left: () => new Promise((resolve) => onLeft.push(resolve)),
    asked: [],
    writers: {},
    is_public: [],
    commits: [],
    blobs: new Map(),
    onCommit: () => undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };

  /** The repository that a path is about, and what follows its name. */
  const repoOf = (path: string) => {
    const match = /^\/(?:api\/)?(?:(models|datasets)\/)?([^/]+\/[^/]+)(\/.*)?$/.exec(path);
    if (match === null) return null;
    const [, kind, name = '', rest = ''] = match;
    return { repo: kind === 'datasets' ? `datasets/${name}` : name, rest };
  };
  const commitOf = (revision: string) =>
    hub.revisions[revision] ?? (Object.values(hub.revisions).includes(revision) ? revision : undefined);

  const refused = (repo: string, rest: string, token: string | null): { status: number; code: string } | null => {
    if (hub.refuse !== null) return hub.refuse;
    if (hub.repos[repo] === undefined) return { status: 404, code: 'RepoNotFound' };
    if (!hub.gated.includes(repo) || (token !== null && hub.tokens.includes(token))) return null;
    if (hub.lists_gated && rest.startsWith('/revision/')) return null;
    return { status: token === null ? 401 : 403, code: 'GatedRepo' };
  };

  const sendFile = (request: IncomingMessage, response: ServerResponse, content: Buffer, is_large: boolean) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= content.length && start > 0) return response.writeHead(416).end();
    const body = content.subarray(start);
    const headers: Record<string, string | number> = { 'content-length': body.length, 'accept-ranges': 'bytes' };
    if (start > 0) headers['content-range'] = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(start > 0 ? 206 : 200, headers);
    if (request.method === 'HEAD') return response.end();
    const cut = hub.cut_after;
    if (is_large && cut !== null) {
      hub.cut_after = null;
      return response.write(body.subarray(0, cut), () => response.destroy());
    }
    if (is_large && hub.stall_after !== null && hub.stall_after < body.length) {
      return response.write(body.subarray(0, hub.stall_after), () => stall(response));
    }
    return response.end(body);
  };

  const stall = (response: ServerResponse) => {
    for (const resolve of onStall) resolve();
    onStall = [];
    response.once('close', () => {
      for (const resolve of onLeft) resolve();
      onLeft = [];
    });
  };
  const writes = hubWrites(hub, stall);

  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    const token = request.headers.authorization?.replace('Bearer ', '') ?? null;
    hub.asked.push({ method: request.method ?? '', path, range: request.headers.range ?? null, token });
    const busy = hub.busy.shift();
    if (busy !== undefined) {
      const headers = busy.retry_after === undefined ? {} : { 'retry-after': String(busy.retry_after) };
      return void response.writeHead(busy.status, headers).end('{}');
    }
    if (request.method === 'POST' || request.method === 'PUT') return writes(request, response, path, token);
    const large = /^\/cdn\/([0-9a-f]{64})$/.exec(path)?.[1];
    if (large !== undefined) {
      const contents = Object.values(hub.repos).flatMap((files) => Object.values(files));
      const content = contents.find((one) => sha('sha256', one) === large);
      return void (content === undefined
        ? response.writeHead(404).end()
        : sendFile(request, response, Buffer.from(content), true));
    }
    if (token !== null && hub.unknown_tokens.includes(token))
      return void response.writeHead(401, { 'x-error-message': 'Invalid credentials in Authorization header' }).end('{}');
    const found = repoOf(path);
    if (found === null) return void response.writeHead(404).end();
    const { repo, rest } = found;
    const refusal = refused(repo, rest, token);
    if (refusal !== null) return void response.writeHead(refusal.status, { 'x-error-code': refusal.code }).end('{}');
    const files = hub.repos[repo] ?? {};
    const [, what, revision = '', name = ''] = /^\/(revision|resolve)\/([^/]+)\/?(.*)$/.exec(rest) ?? [];
    const sum = commitOf(revision);
    if (what === undefined || sum === undefined)
      return void response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end('{}');
    if (what === 'revision') {
      const id = repo.replace('datasets/', '');
      const listing = {
        id,
        sha: sum,
        siblings: siblings(files),
        tags: [],
        private: !hub.is_public.includes(repo),
        cardData: hub.cards[repo],
      };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(listing));
      return hub.onListed();
    }
    const content = files[name];
    if (content === undefined) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    response.setHeader('x-repo-commit', sum);
    response.setHeader('etag', `"${isLarge(name) ? sha('sha256', content) : blobId(content)}"`);
    if (isLarge(name)) return void response.writeHead(302, { location: `${hub.url}/cdn/${sha('sha256', content)}` }).end();
    sendFile(request, response, Buffer.from(content), false);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return hub;
}
