// The walls of ARCHITECTURE.md, tried: one file for every pair of folders and every way to write an import, in a small copy of the house.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const CONFIGURATION = ['biome.json', 'package.json', 'tsconfig.json', '.gitignore', 'scripts/plain-imports.grit'];

interface Finding {
  path: string;
  line: number;
  rule: string;
  message: string;
}

let house: string;
beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'lowrank-walls-'));
  for (const file of CONFIGURATION) {
    await mkdir(dirname(join(house, file)), { recursive: true });
    await copyFile(join(ROOT, file), join(house, file));
  }
});
afterAll(() => rm(house, { recursive: true, force: true }));

/** What Biome finds in a house that has these files alone. */
async function lint(files: Record<string, string>): Promise<Finding[]> {
  await rm(join(house, 'src'), { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(house, path)), { recursive: true });
    await writeFile(join(house, path), text);
  }
  const report = await new Promise<string>((done) => {
    const args = ['lint', '--reporter=json', '--max-diagnostics=none', 'src'];
    execFile(join(ROOT, 'node_modules/.bin/biome'), args, { cwd: house, maxBuffer: 64e6 }, (_, stdout) => done(stdout));
  });
  const { diagnostics } = JSON.parse(report) as {
    diagnostics: { category: string; severity: string; message: string; location: { path: string; start: { line: number } } }[];
  };
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ category, message, location }) => ({
      path: location.path,
      line: location.start.line,
      rule: category.split('/').at(-1) ?? '',
      message,
    }));
}

/** The table of ARCHITECTURE.md: who may import whom. */
async function readTable(): Promise<Map<string, string[]>> {
  const text = await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const table = text.slice(text.indexOf('| folder | may import |')).split('\n\n', 1)[0] ?? '';
  const names = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([a-z.]+)`/g)].map((match) => match[1] ?? '');
  const rows = table.split('\n').map((line) => line.split('|').slice(1, 3));
  return new Map(rows.flatMap(([from, to]) => names(from).map((folder) => [folder, names(to)] as const)));
}

/** What `from` would write to import something of `to`: by alias, and relatively. */
function spellings(from: string, to: string): [string, string] {
  const target = to.endsWith('.ts') ? to : `${to}/target.ts`;
  return [`#/${target}`, from.endsWith('.ts') ? `./${target}` : `../${target}`];
}

describe('the walls', () => {
  it('are those of ARCHITECTURE.md for every pair of folders', async () => {
    const table = await readTable();
    expect(table.size).toBe(15);
    const files: Record<string, string> = {};
    const expected: string[] = [];
    const planted: { path: string; from: string; lines: string[] }[] = [];
    for (const [from, may] of table) {
      const allowed = may.map((name) => (name === 'env' ? 'env.ts' : name));
      const lines: string[] = [];
      for (const to of table.keys()) {
        if (to === from) continue;
        for (const [i, spelled] of spellings(from, to).entries()) {
          lines.push(spelled);
          // A folder reaches others by alias alone.
          if (!allowed.includes(to) || (i === 1 && !from.endsWith('.ts'))) expected.push(`${from} imports ${spelled}`);
        }
      }
      const path = from.endsWith('.ts') ? `src/${from}` : `src/${from}/planted.ts`;
      files[path] = lines.map((spelled) => `import '${spelled}';\n`).join('');
      planted.push({ path, from, lines });
    }
    const found = (await lint(files)).filter(({ rule }) => rule === 'noRestrictedImports');
    const seen = found.map((finding) => {
      const { from, lines } = planted.find(({ path }) => path === finding.path) ?? { from: finding.path, lines: [] };
      if (/ may import /.test(finding.message)) {
        expect(finding.message).toMatch(
          `${from} may import ${table.get(from)?.join(', ') || (from === 'domain' ? 'only zod' : 'nothing of ours')}:`,
        );
      }
      return `${from} imports ${lines[finding.line - 1]}`;
    });
    expect([...new Set(seen)].sort()).toEqual(expected.sort());
  });

  it('hold however a forbidden file is imported', async () => {
    const ways: Record<string, string> = {
      'by-alias': "import { rows } from '#/db/rows.ts';\nexport const a = rows;\n",
      relatively: "import { rows } from '../db/rows.ts';\nexport const a = rows;\n",
      'in-a-roundabout-way': "import { rows } from '../../src/db/rows.ts';\nexport const a = rows;\n",
      'through-a-permitted-folder': "import { rows } from '#/domain/../db/rows.ts';\nexport const a = rows;\n",
      'for-its-types': "import type { Rows } from '#/db/rows.ts';\nexport const a: Rows = 1;\n",
      'inside-a-type': "export type A = import('#/db/rows.ts').Rows;\n",
      dynamically: "export const a = async () => (await import('#/db/rows.ts')).rows;\n",
      'by-a-template': 'export const a = async () => (await import(`#/db/rows.ts`)).rows;\n',
      'by-a-computed-name': "export const a = async (name: string) => import('#/db/'.concat(name));\n",
      'to-hand-it-on': "export { rows } from '#/db/rows.ts';\n",
      'to-hand-all-of-it-on': "export * from '#/db/rows.ts';\n",
      'for-its-effect': "import '#/db/rows.ts';\n",
    };
    const planted = Object.entries(ways).flatMap(([way, text]) => [
      [`src/http/${way}.ts`, text],
      [`src/http/${way}.tsx`, text],
      [`src/http/deep/${way}.ts`, text.replace("'../", "'../../")],
    ]);
    const found = await lint({
      'src/db/rows.ts': 'export const rows = 1;\nexport type Rows = number;\n',
      ...Object.fromEntries(planted),
    });
    expect([...new Set(found.map(({ path }) => path))].sort()).toEqual(planted.map(([path]) => path).sort());
  });

  it.each([
    [
      'a circle',
      "import { b } from './b.ts';\nexport const a = () => b;\n",
      "import { a } from '#/http/a.ts';\nexport const b = () => a;\n",
    ],
    [
      'a circle of types',
      "import type { B } from './b.ts';\nexport type A = B | 1;\n",
      "import type { A } from './a.ts';\nexport type B = A[];\n",
    ],
  ])('refuse %s, at each of its files', async (_, a, b) => {
    const found = await lint({ 'src/http/a.ts': a, 'src/http/b.ts': b });
    expect(found.map(({ path, rule }) => `${path} ${rule}`).sort()).toEqual([
      'src/http/a.ts noImportCycles',
      'src/http/b.ts noImportCycles',
    ]);
  });

  it('keep packages where they belong', async () => {
    const forbidden = {
      domain: ['pg', 'drizzle-orm/pg-core', 'node:fs', 'fs', 'busboy', 'zod-package'],
      services: ['pg', 'drizzle-orm/node-postgres'],
      http: ['pg', 'drizzle-orm'],
      worker: ['pg', 'drizzle-orm'],
      cli: ['pg', 'drizzle-orm'],
      contract: ['pg', 'node:fs'],
      hooks: ['pg', 'node:fs'],
      components: ['pg', 'node:fs'],
      app: ['pg', 'node:fs'],
    };
    const planted = Object.entries(forbidden).flatMap(([folder, names]) =>
      names.map((name, i) => [`src/${folder}/package-${i}.ts`, `import x from '${name}';\nexport const y = x;\n`] as const),
    );
    const found = await lint(Object.fromEntries(planted));
    expect([...new Set(found.map(({ path }) => path))].sort()).toEqual(planted.map(([path]) => path).sort());
  });

  it('let a house pass that keeps to them', async () => {
    const found = await lint({
      'src/domain/spec.ts': "import * as z from 'zod';\nexport const Spec = z.object({});\n",
      'src/domain/plan.ts': "import { Spec } from './spec.ts';\nexport const plan = () => Spec;\n",
      'src/db/tenancy.ts': "import pg from 'pg';\nimport { env } from '#/env.ts';\nexport const pool = () => new pg.Pool(env);\n",
      'src/env.ts': 'export const env = {};\n',
      'src/services/jobs/create-job.ts':
        "import { eq } from 'drizzle-orm';\nimport { pool } from '#/db/tenancy.ts';\nimport { plan } from '#/domain/plan.ts';\nimport { row } from '../row.ts';\nexport const createJob = () => [eq, pool, plan, row];\n",
      'src/services/row.ts': 'export const row = 1;\n',
      'src/http/api.ts': "import { createJob } from '#/services/jobs/create-job.ts';\nexport const api = () => createJob();\n",
      'src/services/jobs/create-job.test.ts': "import { api } from '#/http/api.ts';\nexport const test = api;\n",
    });
    expect(found).toEqual([]);
  });
});
