import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PagePolicy, pagePolicies } from './page-policy.ts';

const sha256 = (script: string) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
const scriptsOf = (policy: PagePolicy) => /script-src ([^;]*)/.exec(policy.header)?.[1]?.split(' ');

let folder: string;
let policy: (path: string) => PagePolicy;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-pages-'));
  const files = {
    'server/app/index.html': '<script>home()</script><script src="/_next/a.js" async=""></script>',
    'server/app/sign-in/link.html': '<script id="x">one();\ntwo("</p>")</script><script>one()</script><script>one()</script>',
    'server/app/_not-found.html': '<script>lost()</script>',
    'server/pages/500.html': '<script>broken()</script>',
  };
  for (const [file, html] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), html);
  }
  policy = await pagePolicies(folder);
});
afterAll(() => rm(folder, { recursive: true }));

test('a built page runs its own inline scripts and the error pages’, no others and none by a nonce', () => {
  expect(policy('/').nonce).toBeNull();
  expect(scriptsOf(policy('/'))).toEqual(["'self'", sha256('home()'), sha256('lost()'), sha256('broken()')]);
  expect(scriptsOf(policy('/sign-in/link'))).toEqual([
    "'self'",
    sha256('one();\ntwo("</p>")'),
    sha256('one()'),
    sha256('lost()'),
    sha256('broken()'),
  ]);
});

test('a page that is rendered at each request gets a nonce that is new each time', () => {
  const [first, second] = [policy('/jobs/1'), policy('/jobs/1')];
  expect(scriptsOf(first)).toEqual(["'self'", `'nonce-${first.nonce}'`, sha256('lost()'), sha256('broken()')]);
  expect(first.nonce).toMatch(/^[A-Za-z0-9+/]{22}==$/);
  expect(second.nonce).not.toBe(first.nonce);
});

test('no page may be framed, load from elsewhere or run text', () => {
  for (const path of ['/', '/jobs/1']) {
    const { header } = policy(path);
    expect(header).toContain("frame-ancestors 'none'");
    expect(header).toContain("object-src 'none'");
    expect(header).toContain("connect-src 'self'");
    expect(header).not.toMatch(/script-src[^;]*unsafe|\*|https?:/);
  }
});
