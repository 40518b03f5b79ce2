import { createHash, randomBytes } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a page may load and run. */
export interface PagePolicy {
  header: string;
  /** Given where the page is rendered at each request: Next writes it into its inline scripts. */
  nonce: string | null;
}

const INLINE_SCRIPT = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g;
/** Pages that Next may answer at any address. */
const ANYWHERE = new Set(['/_not-found', '/_global-error', '/404', '/500']);

function policyOf(script_sources: string[]): string {
  return [
    "default-src 'self'",
    `script-src 'self' ${script_sources.join(' ')}`,
    // The libraries of toasts, dialogs and charts write style elements and attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const hashOf = (script: string): string => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

async function scriptHashes(folder: string): Promise<Map<string, string[]>> {
  const pages = new Map<string, string[]>();
  for (const root of ['app', 'pages']) {
    for await (const file of glob('**/*.html', { cwd: join(folder, 'server', root) })) {
      const html = await readFile(join(folder, 'server', root, file), 'utf8');
      const path = `/${file.replace(/(^|\/)index\.html$|\.html$/, '')}`;
      pages.set(path, [...new Set(Array.from(html.matchAll(INLINE_SCRIPT), (match) => hashOf(match[1] ?? '')))]);
    }
  }
  return pages;
}

/**
 * Reads the pages that were built into `folder` (`.next`) and says what each path may run: a built page the very inline
 * scripts that it was built with, every other one what carries this answer's nonce. Nothing else runs, whoever wrote it.
 */
export async function pagePolicies(folder: string): Promise<(path: string) => PagePolicy> {
  const pages = await scriptHashes(folder);
  const anywhere = [...new Set([...pages].flatMap(([path, hashes]) => (ANYWHERE.has(path) ? hashes : [])))];
  const built = new Map([...pages].map(([path, hashes]) => [path, policyOf([...new Set([...hashes, ...anywhere])])]));
  return (path) => {
    const header = built.get(path);
    if (header !== undefined) return { header, nonce: null };
    const nonce = randomBytes(16).toString('base64');
    return { header: policyOf([`'nonce-${nonce}'`, ...anywhere]), nonce };
  };
}
