import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { onceInAWhile } from './hand-over.mjs';
import { differenceOf, fetchedPackage } from './node-modules.mjs';
import { checkMachine, choosePython } from './platform.mjs';
import { cutTo } from './progress.mjs';
import { plainEnvironment, worthShowing } from './run-program.mjs';
import { hashOf, readStamp, writeStamp } from './stamps.mjs';
import { countPytest, countVitest, summarise } from './test-counts.mjs';
import { ensureTestTools, firstProgram, mayInstall } from './test-tools.mjs';
import { bringsCuda, pinnedTorch, wrongTorch } from './trainer.mjs';

const root = mkdtempSync(join(tmpdir(), 'lowrank-setup-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const debian_12 = { platform: 'linux', arch: 'x64', node: '20.19.0', glibc: '2.36' };

describe('the machine', () => {
  it.each([debian_12, { ...debian_12, arch: 'arm64' }, { platform: 'darwin', arch: 'arm64', node: '24.1.0', glibc: null }])(
    '%j will do',
    (machine) => {
      expect(() => checkMachine(machine)).not.toThrow();
    },
  );

  it.each([
    [{ ...debian_12, node: '18.20.0' }, 'Node 18.20.0'],
    [{ ...debian_12, glibc: null }, 'no glibc'],
    [{ ...debian_12, glibc: '2.17' }, 'glibc 2.17'],
    [{ ...debian_12, arch: 'riscv64' }, 'riscv64'],
    [{ ...debian_12, platform: 'win32' }, 'win32'],
    [{ platform: 'darwin', arch: 'arm64', node: '22.1.0', glibc: null }, 'macOS'],
  ])('%j will not, and the reason is named', (machine, reason) => {
    expect(() => checkMachine(machine)).toThrow(reason);
  });
});

describe('the Python', () => {
  const python = (version: string, missing: string[] = []) => ({ version, missing, executable: `/usr/bin/python${version}` });

  it('that is complete is taken, though an older one comes first', () => {
    expect(choosePython([python('3.9.2'), python('3.11.2', ['ensurepip']), python('3.12.1')], true).version).toBe('3.12.1');
  });

  it.each([
    [[python('3.11.2', ['ensurepip'])], true, 'lacks ensurepip', 'apt-get install python3-venv (or python3.11-venv)'],
    [[python('3.9.2')], true, '3.9.2 is too old', 'apt-get install python3'],
    [[], false, 'no python3', 'Install Python 3.11'],
  ])('that is missing or incomplete is named with its cure (%#)', (found, debian, what, cure) => {
    expect(() => choosePython(found, debian)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(what), cure: expect.stringContaining(cure) }),
    );
  });
});

describe('the torch that pip would take', () => {
  const planned = (version: string) => [{ metadata: { name: 'torch', version } }];

  it('is the pinned one, whatever its build', () => {
    const pin = pinnedTorch('# a word\ntorch==2.13.0\n');
    expect(wrongTorch(pin, planned('2.13.0+cpu'), null)).toBeNull();
    expect(wrongTorch(pin, [], '2.13.0+cu130')).toBeNull();
  });

  it('is bare in the requirements, so that the index decides on its build, and the same in the constraints', () => {
    const read = (name: string) => readFileSync(join(import.meta.dirname, '../../trainer', name), 'utf8');
    const wanted = read('requirements.txt').match(/^torch\b.*$/gm);
    expect(wanted).toEqual([`torch==${pinnedTorch(read('constraints.txt'))}`]);
    expect(wanted?.[0]).toMatch(/^torch==\d+\.\d+\.\d+$/);
    expect(read('requirements.txt')).not.toMatch(/^\s*(-|--|[^#\n]*(@|\+))/m);
  });

  it('is named when it is another one, or none', () => {
    expect(wrongTorch('2.13.0', planned('2.13.1'), '2.13.0')).toBe('torch 2.13.1');
    expect(wrongTorch('2.13.0', planned('2.130.0+cpu'), null)).toBe('torch 2.130.0+cpu');
    expect(wrongTorch('2.13.0', [], null)).toBe('no torch at all');
    expect(() => pinnedTorch('torch>=2.13.0\n')).toThrow('no exact torch');
  });

  it('asks for more disk when it brings CUDA', () => {
    expect(bringsCuda([{ metadata: { name: 'nvidia-cublas', version: '13' } }])).toBe(true);
    expect(bringsCuda(planned('2.13.0+cpu'))).toBe(false);
  });
});

describe('node_modules', () => {
  const locked = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  };

  it('that agree with the lockfile are kept; another platform’s packages may be absent', () => {
    expect(differenceOf(locked, { 'node_modules/a': { version: '1.0.0' } }, [])).toBeNull();
  });

  it.each([
    ['npm http fetch GET 200 https://registry.example/@img%2fsharp-linux-x64 93ms (cache miss)', '@img/sharp-linux-x64'],
    ['npm http fetch GET 200 https://registry.example/zod/-/zod-4.6.7.tgz 12ms', 'zod-4.6.7.tgz'],
    ['npm http fetch GET 200 https://registry.example/%zz 12ms', '%zz'],
    ['added 400 packages in 9s', ''],
  ])('of which one is fetched by %s are told by its name', (line, name) => {
    expect(fetchedPackage(line)).toBe(name);
  });

  it('that differ in any way are installed again', () => {
    expect(differenceOf(locked, null, [])).toBe('nothing is installed');
    expect(differenceOf(locked, {}, [])).toBe('a is missing');
    expect(differenceOf(locked, { 'node_modules/a': { version: '1.0.1' } }, [])).toBe('a is 1.0.1, not 1.0.0');
    expect(differenceOf(locked, { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } }, [])).toBe(
      'b is not in package-lock.json',
    );
    expect(differenceOf(locked, { 'node_modules/a': { version: '1.0.0' } }, ['other-platform'])).toBe(
      'other-platform is missing',
    );
  });

  it('are installed by the system’s own Node, without what npm run added', () => {
    const env = plainEnvironment({
      PATH: '/x/node_modules/.bin:/usr/bin',
      npm_lifecycle_event: 'demo',
      npm_config_registry: 'r',
      NODE_ENV: 'production',
    } as NodeJS.ProcessEnv);
    expect(env).toEqual({ PATH: '/usr/bin', npm_config_registry: 'r' });
  });

  it('that npm refuses to install show the reason, not npm’s usage', () => {
    expect(
      worthShowing(['npm error code EUSAGE', 'npm error', 'npm error Missing: a@1', 'npm error Usage:', 'npm error npm ci']),
    ).toEqual(['npm error code EUSAGE', 'npm error Missing: a@1']);
  });
});

describe('stamps', () => {
  it('change with a name or a content anywhere below, and with a file that goes', () => {
    mkdirSync(join(root, 'src/deep'), { recursive: true });
    const hashes = new Set([hashOf(root, ['src'])]);
    writeFileSync(join(root, 'src/deep/a'), 'one');
    hashes.add(hashOf(root, ['src']));
    writeFileSync(join(root, 'src/deep/a'), 'two');
    hashes.add(hashOf(root, ['src']));
    rmSync(join(root, 'src'), { recursive: true });
    hashes.add(hashOf(root, ['src']));
    expect(hashes.size).toBe(4);
  });

  it('that are torn count as none', () => {
    writeStamp(root, 'step', { of: 'x' });
    expect(readStamp(root, 'step')).toEqual({ of: 'x' });
    writeFileSync(join(root, '.setup/step.json'), '{"of":');
    expect(readStamp(root, 'step')).toBeNull();
  });
});

describe('the last line of npm test', () => {
  const vitest = (files: object[], passed: number, failed: number) =>
    JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: 0, testResults: files });

  it('counts what both reports say', () => {
    expect(countVitest(vitest([{ status: 'failed', assertionResults: [{ status: 'failed' }] }], 4, 1))).toEqual({
      passed: 4,
      failed: 1,
      skipped: 0,
    });
    const junit =
      '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="1" tests="9" time="0.1">';
    expect(countPytest(junit)).toEqual({ passed: 5, failed: 3, skipped: 1 });
  });

  it('counts a file that fails before its first test', () => {
    expect(countVitest(vitest([{ status: 'failed', assertionResults: [] }], 4, 0)).failed).toBe(1);
  });

  it.each([
    [null, 0],
    [{ passed: 0, failed: 0, skipped: 2 }, 0],
    [{ passed: 3, failed: 0, skipped: 0 }, 1],
  ])('holds a failure when a suite left no report, ran nothing, or ended badly (%j, exit code %d)', (counts, code) => {
    expect(summarise('suite', counts, code).failed).toBe(1);
  });
});

it('one Ctrl-C that arrives twice is passed on once, a second one again', () => {
  let now = 0;
  const pass = onceInAWhile(() => now);
  expect([pass('SIGINT'), pass('SIGINT'), pass('SIGTERM')]).toEqual([true, false, true]);
  now = 1000;
  expect(pass('SIGINT')).toBe(true);
});

it('a program that the caller names is not replaced by another', () => {
  expect(firstProgram('/mine', ['/a', '/b'], (path) => path === '/b')).toBeNull();
  expect(firstProgram(undefined, ['/a', '/b'], (path) => path === '/b')).toBe('/b');
});

describe('what only the tests need', () => {
  const environment = (variables: Record<string, string>) => variables as unknown as NodeJS.ProcessEnv;
  const has_apt = (path: string) => path === '/usr/bin/apt-get';

  it('is installed by apt for root where CI=true, and nowhere else', () => {
    expect(mayInstall(environment({ CI: 'true' }), 0, has_apt)).toBe(true);
    const others: [Record<string, string>, number | undefined][] = [
      [{}, 0],
      [{ CI: '1' }, 0],
      [{ CI: 'true' }, 1000],
      [{ CI: 'true' }, undefined],
    ];
    for (const [variables, uid] of others)
      expect([variables, uid, mayInstall(environment(variables), uid, has_apt)]).toEqual([variables, uid, false]);
    expect(mayInstall(environment({ CI: 'true' }), 0, () => false)).toBe(false);
  });

  it('is one clear line with its cure, and a failure, where there is no Chromium', async () => {
    const env = environment({ CI: 'true', CHROMIUM_PATH: '/nowhere/chromium' });
    await expect(ensureTestTools(env, () => undefined)).rejects.toMatchObject({
      name: 'SetupError',
      message: 'CHROMIUM_PATH names /nowhere/chromium, which is not there.',
      cure: expect.stringMatching(/^Install it \(Debian: apt-get install chromium\), or set CHROMIUM_PATH .*\.$/),
    });
  });

  it('is told before anything else is done when it is real rows, real photographs or PostgreSQL 15', async () => {
    const words: string[] = [];
    const nowhere = { GSM8K_FILE: '/nowhere/train.jsonl', DREAMBOOTH_FOLDER: '/nowhere/dreambooth', POSTGRES_15_BIN: '/nowhere' };
    const here = { CHROMIUM_PATH: process.execPath, ...nowhere };
    const found = await ensureTestTools(environment(here), (word) => words.push(word));
    expect(found).toEqual({ CHROMIUM_PATH: process.execPath });
    expect(words).toEqual([
      expect.stringMatching(/PostgreSQL 15.*apt-get install postgresql-15.*POSTGRES_15_BIN/),
      expect.stringMatching(/no \/nowhere\/train\.jsonl; put gsm8k's train\.jsonl there, name yours in GSM8K_FILE/),
      expect.stringMatching(/no \/nowhere\/dreambooth; put teapot and vase .* there, name yours in DREAMBOOTH_FOLDER/),
    ]);
  });
});

it('a progress line never wraps', () => {
  expect(cutTo('x'.repeat(200), 80).length).toBeLessThan(80);
});
