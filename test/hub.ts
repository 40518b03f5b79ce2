/** A local server that speaks as much of the Hub's protocol as one model needs. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestHub {
  url: string;
  /** The commit that every revision of every model names. */
  commit: string;
  close(): void;
}

const sha = (algorithm: string, ...parts: (Buffer | string)[]) => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** Starts it. `models` are files by repository; what is not there is refused as the Hub does, `gated` ones for want of access. */
export async function startHub(models: Record<string, Record<string, Buffer | string>>, gated: string[] = []): Promise<TestHub> {
  const commit = 'c0ffee'.padEnd(40, '0');
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    const repo = /^\/(?:api\/models\/)?([^/]+\/[^/]+)/.exec(path)?.[1] ?? '';
    const files = models[repo];
    const name = path.split('/').pop() ?? '';
    if (gated.includes(repo)) response.writeHead(403, { 'x-error-code': 'GatedRepo' }).end('{}');
    else if (files === undefined) response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end('{}');
    else if (path.startsWith('/api/models/')) {
      const siblings = Object.entries(files).map(([rfilename, content]) => {
        const size = Buffer.byteLength(content);
        const lfs = { size, sha256: sha('sha256', content), pointerSize: 1 };
        return {
          rfilename,
          size,
          blobId: sha('sha1', `blob ${size}\0`, content),
          ...(rfilename.endsWith('.safetensors') && { lfs }),
        };
      });
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ id: repo, sha: commit, siblings, tags: [], private: false }));
    } else if (path === `/${repo}/resolve/${commit}/${name}` && files[name] !== undefined) response.end(files[name]);
    else response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, commit, close: () => server.close() };
}
