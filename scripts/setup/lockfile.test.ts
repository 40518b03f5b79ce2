import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { entryOf, leftOut } from './lockfile.mjs';

it('package-lock.json has every optional package, so npm ci accepts it on every platform (else: npm run lockfile)', () => {
  const { packages } = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  expect(leftOut(packages).map(({ path }) => path)).toEqual([]);
});

it('an optional package that is missing is found, beside its parent, and its platform read from its name', () => {
  const parent = {
    dev: true,
    optionalDependencies: { '@tool/cli-linux-x64-musl': '2.0.1', '@tool/cli-win32-arm64': '2.0.1', there: '1.0.0' },
  };
  const found = leftOut({ '': {}, 'node_modules/a/node_modules/tool': parent, 'node_modules/there': { version: '1.0.0' } });
  expect(found.map(({ path }) => path)).toEqual([
    'node_modules/a/node_modules/@tool/cli-linux-x64-musl',
    'node_modules/a/node_modules/@tool/cli-win32-arm64',
  ]);
  expect(found.map(entryOf)).toEqual([
    { version: '2.0.1', cpu: ['x64'], dev: true, libc: ['musl'], optional: true, os: ['linux'] },
    { version: '2.0.1', cpu: ['arm64'], dev: true, optional: true, os: ['win32'] },
  ]);
});

it('a missing package that could be meant for this machine is not papered over', () => {
  const [left] = leftOut({ '': { optionalDependencies: { 'fast-thing': '1.0.0' } } });
  expect(() => entryOf(left!)).toThrow('fast-thing@1.0.0');
});
