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
    diagnostics: { category: string; severity: string; message: string; location: { path: string } }[];
  };
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ category, message, location }) => ({ path: location.path, rule: category.split('/').at(-1) ?? '', message }));
}

/** The table of ARCHITECTURE.md: who may import whom. */
async function readTable(): Promise<Map<string, string[]>> {
  const text = await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const table = text.slice(text.indexOf('| folder | may import |')).split('\n\n', 1)[0] ?? '';
  const names = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([a-z]+)`/g)].map((match) => match[1] ?? '');
  const rows = table.split('\n').map((line) => line.split('|').slice(1, 3));
  return new Map(rows.flatMap(([from, to]) => names(from).map((folder) => [folder, names(to)] as const)));
}

const fileOf = (name: string) => (name === 'env' ? '#/env.ts' : `#/${name}/target.ts`);

describe('the walls', () => {
  it('are those of ARCHITECTURE.md for every pair of folders', async () => {
    const table = await readTable();
    expect(table.size).toBe(11);
    const targets = [...table.keys(), 'env'];
    const files: Record<string, string> = {};
    const forbidden: string[] = [];
    for (const [from, may] of table) {
      for (const to of targets) {
        const path = `src/${from}/to-${to}.ts`;
        files[path] = `import { x } from '${fileOf(to)}';\nexport const y = x;\n`;
        if (to !== from && !may.includes(to)) forbidden.push(path);
      }
    }
    const found = await lint(files);
    expect(found.map(({ path }) => path).sort()).toEqual(forbidden.sort());
    for (const { path, rule, message } of found) {
      expect(rule).toBe('noRestrictedImports');
      expect(message).toContain(
        `${path.split('/')[1]} may import ${table.get(path.split('/')[1] ?? '')?.join(', ') || 'only zod'}`,
      );
    }
  });

  it.each([
    ['by alias', "import { rows } from '#/db/rows.ts';\nexport const a = rows;\n"],
    ['relatively', "import { rows } from '../db/rows.ts';\nexport const a = rows;\n"],
    ['relatively in a roundabout way', "import { rows } from '../../src/db/rows.ts';\nexport const a = rows;\n"],
    ['through a permitted folder', "import { rows } from '#/domain/../db/rows.ts';\nexport const a = rows;\n"],
    ['for its types alone', "import type { Rows } from '#/db/rows.ts';\nexport const a: Rows = 1;\n"],
    ['inside a type', "export type A = import('#/db/rows.ts').Rows;\n"],
    ['dynamically', "export const a = async () => (await import('#/db/rows.ts')).rows;\n"],
    ['dynamically by a template', 'export const a = async () => (await import(`#/db/rows.ts`)).rows;\n'],
    ['dynamically by a computed name', "export const a = async (name: string) => import('#/db/'.concat(name));\n"],
    ['to hand it on', "export { rows } from '#/db/rows.ts';\n"],
    ['to hand all of it on', "export * from '#/db/rows.ts';\n"],
    ['for its effect', "import '#/db/rows.ts';\n"],
  ])('hold when a forbidden file is imported %s', async (_, text) => {
    const files = {
      'src/db/rows.ts': 'export const rows = 1;\nexport type Rows = number;\n',
      'src/http/planted.ts': text,
      'src/http/planted.tsx': text,
      'src/http/deep/planted.ts': text.replace("'../", "'../../"),
    };
    const found = await lint(files);
    expect([...new Set(found.map(({ path }) => path))].sort()).toEqual(Object.keys(files).slice(1).sort());
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

  it.each([
    ['domain', 'pg'],
    ['domain', 'drizzle-orm/pg-core'],
    ['domain', 'node:fs'],
    ['domain', 'busboy'],
    ['services', 'pg'],
    ['services', 'drizzle-orm/node-postgres'],
    ['http', 'pg'],
    ['http', 'drizzle-orm'],
    ['worker', 'pg'],
    ['cli', 'pg'],
    ['app', 'pg'],
    ['components', 'node:fs'],
    ['hooks', 'node:fs'],
    ['contract', 'node:fs'],
  ])('%s does not import the package %s', async (folder, name) => {
    const found = await lint({ [`src/${folder}/planted.ts`]: `import x from '${name}';\nexport const y = x;\n` });
    expect(found.map(({ rule }) => rule)).toEqual(['noRestrictedImports']);
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
