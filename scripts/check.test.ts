import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Each program of a check, where the house has it, played by one that notes how it was called. */
const PROGRAMS = {
  biome: 'node_modules/.bin/biome',
  tsc: 'node_modules/typescript/bin/tsc',
  knip: 'node_modules/knip/bin/knip.js',
  python: 'trainer/.venv/bin/python',
};
let house: string;
beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'lowrank-check-'));
  mkdirSync(join(house, 'scripts'));
  copyFileSync(join(import.meta.dirname, 'check.mjs'), join(house, 'scripts/check.mjs'));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    const told = JSON.stringify(join(house, 'told'));
    const script = `#!${process.execPath}
const call = [${JSON.stringify(name)}, ...process.argv.slice(2)].join(' ');
require('node:fs').appendFileSync(${told}, call + '\\n');
if (call === process.env.BROKEN) { console.log('a finding'); process.exit(1); }
`;
    writeFileSync(join(house, path), script);
    chmodSync(join(house, path), 0o755);
  }
});
afterAll(() => rmSync(house, { recursive: true, force: true }));

function check(broken = ''): { code: number | null; said: string; calls: string[] } {
  rmSync(join(house, 'told'), { force: true });
  const done = spawnSync(process.execPath, [join(house, 'scripts/check.mjs')], {
    env: { ...process.env, BROKEN: broken },
    encoding: 'utf8',
  });
  const told = join(house, 'told');
  const calls = existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n').sort() : [];
  return { code: done.status, said: done.stdout + done.stderr, calls };
}

const CALLS = [
  'biome check --error-on-warnings .',
  'knip',
  'python -m ruff check trainer demo src test bench',
  'python -m ruff format --check trainer demo src test bench',
  'tsc --noEmit',
];

describe('npm run check', () => {
  test('asks Biome (the walls among it), TypeScript, knip and ruff', () => {
    const { code, said, calls } = check();
    expect([code, calls]).toEqual([0, CALLS]);
    expect(said.match(/✓/g)).toHaveLength(CALLS.length);
  });

  test.each(CALLS)('fails when `%s` does, shows what it found, and asks the others all the same', (broken) => {
    const { code, said, calls } = check(broken);
    expect([code, calls]).toEqual([1, CALLS]);
    expect(said).toContain('a finding');
    expect(said.match(/✗/g)).toHaveLength(1);
  });
});
