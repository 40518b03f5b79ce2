// What every image of ours keeps, whichever base it stands on: no linter for Dockerfiles is to be had everywhere, so the rules stand here.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TRAINER_PROTOCOL } from '#/domain/trainer-config-parts.ts';
import { buildArguments, lockedRun, VARIANTS } from './variants.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** As the Dockerfile writes it. */
const BASE = '$'.concat('{BASE}');

interface Instruction {
  name: string;
  value: string;
}

/** Its instructions, with lines that go on put together. */
function parse(text: string): Instruction[] {
  const whole = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '');
  return whole
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { name, value };
    });
}

/** Every rule that a Dockerfile breaks. */
function faults(text: string): string[] {
  const lines = parse(text);
  const all = (name: string) => lines.filter((line) => line.name === name).map(({ value }) => value);
  const found: string[] = [];
  const rule = (kept: boolean, what: string) => {
    if (!kept) found.push(what);
  };
  rule(
    lines.every(({ name }) => name !== ''),
    'has a line that is no instruction',
  );
  rule(all('ADD').length === 0, 'adds instead of copying: an address could stand there');
  rule(!/:latest\b/.test(text), 'names latest');
  rule(all('FROM').join() === BASE, 'stands on something else than BASE');
  rule(/^BASE=\S+:\d/.test(all('ARG')[0] ?? ''), 'has no pinned base');
  rule(/^[1-9]\d*:[1-9]\d*$/.test(all('USER').at(-1) ?? ''), 'ends as root, or as an account without a number');
  rule(all('WORKDIR').at(-1) === '/workspace', 'works elsewhere than in /workspace');
  rule(all('ENTRYPOINT').join() === '[]', 'keeps the entry point of its base');
  rule(!/\bcurl\b|\bwget\b|\bsudo\b|\bgit clone\b/.test(text), 'fetches past its package managers');
  rule(
    !all('ENV')
      .concat(all('ARG'))
      .some((value) => /TOKEN|PASSWORD|SECRET|KEY/.test(value)),
    'has room for a secret',
  );
  for (const value of all('RUN')) {
    if (/pip install/.test(value))
      rule(
        /--no-cache-dir/.test(value) && /-r requirements\.txt -c constraints\.txt/.test(value),
        'installs what is not pinned, or keeps pip’s cache',
      );
    if (/apt-get install/.test(value))
      rule(/--no-install-recommends/.test(value) && /rm -rf \/var\/lib\/apt\/lists/.test(value), 'keeps the lists of apt');
  }
  rule(
    all('COPY').every((value) => !/^\.\s/.test(value)),
    'copies the whole folder',
  );
  for (const label of ['title', 'licenses', 'version', 'revision'])
    rule(all('LABEL').join().includes(`org.opencontainers.image.${label}=`), `has no label ${label}`);
  return found;
}

const DOCKERFILE = read('trainer/Dockerfile');

describe('the Dockerfile', () => {
  test('keeps every rule', () => {
    expect(faults(DOCKERFILE)).toEqual([]);
    expect(DOCKERFILE).toContain(`dev.lowrank.protocol="${TRAINER_PROTOCOL}"`);
    expect(DOCKERFILE).toContain(`ARG BASE=${VARIANTS.cpu.base}\n`);
  });

  test.each([
    ['USER 10001:10001\n', 'USER root\n', 'ends as root, or as an account without a number'],
    ['USER 10001:10001\n', 'USER trainer\n', 'ends as root, or as an account without a number'],
    ['ENTRYPOINT []\n', '', 'keeps the entry point of its base'],
    [`FROM ${BASE}`, 'FROM python:latest', 'names latest'],
    ['ARG BASE=python:3.11.14-slim-bookworm', 'ARG BASE=python', 'has no pinned base'],
    ['COPY schema/ schema/', 'ADD https://example.org/schema schema/', 'adds instead of copying: an address could stand there'],
    ['--no-cache-dir ', '', 'installs what is not pinned, or keeps pip’s cache'],
    [' -c constraints.txt', '', 'installs what is not pinned, or keeps pip’s cache'],
    ['ARG COMPILE=1', 'ARG HF_TOKEN=', 'has room for a secret'],
    ['COPY requirements.txt', 'COPY . .\nCOPY requirements.txt', 'copies the whole folder'],
  ])('with %j as %j breaks one', (before, after, fault) => {
    expect(DOCKERFILE).toContain(before);
    expect(faults(DOCKERFILE.replace(before, after))).toContain(fault);
  });

  test('takes from the folder nothing that is not needed', () => {
    const ignored = read('trainer/.dockerignore').trim().split('\n');
    const copied = parse(DOCKERFILE)
      .filter(({ name, value }) => name === 'COPY' && !value.startsWith('--from'))
      .flatMap(({ value }) => value.split(' ').slice(0, -1))
      .map((path) => path.replace(/\/$/, ''));
    expect(ignored[0]).toBe('*');
    expect(
      ignored
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1))
        .sort(),
    ).toEqual(copied.sort());
  });
});

describe.each(Object.entries(VARIANTS))('the %s image', (name, { base, extra_index }) => {
  test('stands on a base that is named by its version, and says what it is', () => {
    expect(base).toMatch(/^[a-z0-9/]+:\d+\.\d+\.\d+[a-z0-9.-]*$/);
    expect(base).toMatch(/bookworm|ubuntu24\.04/);
    expect(extra_index === '').toBe(name === 'cuda');
    const facts = { base, extra_index, version: '1.2.3', revision: 'abc', compile: true };
    const args = buildArguments(facts, 'training-image', '/trainer', false);
    expect(args).toEqual(expect.arrayContaining([`BASE=${base}`, 'VERSION=1.2.3', 'REVISION=abc', 'COMPILE=1']));
    const declared = parse(DOCKERFILE).flatMap((line) => (line.name === 'ARG' ? [line.value.split('=')[0]] : []));
    const given = args.flatMap((word, at) => (args[at - 1] === '--build-arg' ? [word.split('=')[0]] : []));
    expect(given.sort()).toEqual(declared.sort());
  });
});

test('what is only to speak has no network, no rights and nothing to write to', () => {
  const words = lockedRun('image', ['python', 'train_lora.py', '--hello']).join(' ');
  for (const lock of ['--network none', '--read-only', '--cap-drop ALL', '--security-opt no-new-privileges'])
    expect(words).toContain(lock);
  expect(words.endsWith(' image python train_lora.py --hello')).toBe(true);
});
