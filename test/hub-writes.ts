/** The half of the test's Hub that takes something: repositories, branches, large files, commits. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Files = Record<string, Buffer | string>;

export const sha = (algorithm: string, ...parts: (Buffer | string)[]) => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
/** In large file storage: listed by their SHA-256, and sent on to another address. */
export const isLarge = (name: string) => /\.(safetensors|jsonl|csv|parquet)$/.test(name);
export const blobId = (content: Buffer | string) => sha('sha1', `blob ${Buffer.byteLength(content)}\0`, content);

export interface HubWrites {
  /** Who may write where: the owners of repositories, by token. */
  writers: Record<string, string[]>;
  /** Repositories that everybody may read; all others say that they are private. */
  is_public: string[];
  /** What was committed, in its order. */
  commits: { repo: string; branch: string; summary: string; paths: string[]; oid: string }[];
  /** Large files that were sent, by their SHA-256. */
  blobs: Map<string, Buffer>;
  /** Called when a commit is made, before it is answered. */
  onCommit(response: ServerResponse): void;
}

interface Hub extends HubWrites {
  url: string;
  repos: Record<string, Files>;
  revisions: Record<string, string>;
  commit: string;
  refuse: { status: number; code: string } | null;
  stall_after: number | null;
}

type Line = { key: string; value: { path?: string; content?: string; oid?: string; summary?: string; parentCommit?: string } };

/** Answers what writes. Large files get no answer once `stall_after` bytes of them are there, which `stall` is told. */
export function hubWrites(hub: Hub, stall: (response: ServerResponse) => void) {
  const readBody = async (request: IncomingMessage, response: ServerResponse, is_large: boolean): Promise<Buffer | null> => {
    let has_stalled = false;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (!has_stalled && is_large && hub.stall_after !== null && bytes >= hub.stall_after) {
        has_stalled = true;
        stall(response);
      }
    }
    return has_stalled ? null : Buffer.concat(chunks);
  };

  const oidOf = (repo: string, path: string): string | null => {
    const content = hub.repos[repo]?.[path];
    if (content === undefined) return null;
    return isLarge(path) ? sha('sha256', content) : blobId(content);
  };

  const commit = (repo: string, branch: string, lines: Line[]): string => {
    const files = hub.repos[repo] ?? {};
    const paths: string[] = [];
    for (const { key, value } of lines) {
      if (value.path === undefined) continue;
      paths.push(value.path);
      if (key === 'file') files[value.path] = Buffer.from(value.content ?? '', 'base64');
      else files[value.path] = hub.blobs.get(value.oid ?? '') ?? Buffer.from('');
    }
    const oid = sha('sha1', repo, branch, JSON.stringify(lines), String(hub.commits.length));
    hub.revisions = { ...hub.revisions, [branch]: oid };
    hub.commits.push({ repo, branch, summary: lines[0]?.value.summary ?? '', paths: paths.sort(), oid });
    return oid;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, path: string, token: string | null) => {
    const tell = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'PUT') {
      const content = await readBody(request, response, true);
      if (content === null) return;
      const oid = path.replace('/lfs/', '');
      if (sha('sha256', content) !== oid) return tell(400, {});
      hub.blobs.set(oid, content);
      return tell(200, {});
    }
    const body = ((await readBody(request, response, false)) ?? Buffer.from('')).toString();
    if (hub.refuse !== null) return tell(hub.refuse.status, { error: hub.refuse.code });
    const owners = hub.writers[token ?? ''];
    if (owners === undefined) return tell(401, { error: 'Invalid username or password.' });
    if (path === '/api/validate-yaml') return tell(200, { warnings: [], errors: [] });
    if (path === '/lfs-verify') return tell(hub.blobs.has(JSON.parse(body).oid) ? 200 : 404, {});
    if (path === '/api/repos/create') {
      const { organization, name, visibility } = JSON.parse(body) as Record<string, string>;
      const repo = `${organization}/${name}`;
      if (!owners.includes(organization ?? '')) return tell(403, { error: 'no right to make it' });
      if (hub.repos[repo] !== undefined) return tell(409, { url: `${hub.url}/${repo}` });
      hub.repos[repo] = { '.gitattributes': '' };
      if (visibility !== 'private') hub.is_public.push(repo);
      return tell(200, { url: `${hub.url}/${repo}` });
    }
    const found = /^\/(?:api\/models\/)?([^/]+)\/([^/]+?)(?:\.git)?\/(preupload|branch|commit|info)\/(.+)$/.exec(path);
    const [, owner = '', name = '', what, rest = ''] = found ?? [];
    const repo = `${owner}/${name}`;
    if (found === null || hub.repos[repo] === undefined) return tell(404, {});
    if (!owners.includes(owner)) return tell(403, { error: 'no right to write to it' });
    if (what === 'branch') {
      hub.revisions = { ...hub.revisions, [rest]: hub.revisions.main ?? hub.commit };
      return tell(200, {});
    }
    if (what === 'preupload') {
      const { files } = JSON.parse(body) as { files: { path: string }[] };
      const modes = files.map((file) => ({
        path: file.path,
        uploadMode: isLarge(file.path) ? 'lfs' : 'regular',
        shouldIgnore: false,
        oid: oidOf(repo, file.path),
      }));
      return tell(200, { files: modes });
    }
    if (what === 'info') {
      const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] };
      const actions = (oid: string) => ({ upload: { href: `${hub.url}/lfs/${oid}` }, verify: { href: `${hub.url}/lfs-verify` } });
      return tell(200, {
        transfer: 'basic',
        objects: objects.map((one) => (hub.blobs.has(one.oid) ? one : { ...one, actions: actions(one.oid) })),
      });
    }
    const lines = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const parent = lines[0]?.value.parentCommit;
    if (parent !== undefined && parent !== hub.revisions[rest]) return tell(412, { error: 'the branch has moved' });
    const oid = commit(repo, rest, lines);
    hub.onCommit(response);
    if (!response.destroyed) tell(200, { commitOid: oid, commitUrl: `${hub.url}/${repo}/commit/${oid}` });
  };
  return (...asked: Parameters<typeof answer>): void => {
    // A client that goes away in the middle of its body.
    answer(...asked).catch(() => asked[1].destroy());
  };
}
