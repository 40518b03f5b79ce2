// The doctor itself: it neither throws, hangs nor starts anything, and the command finds what is planted.
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCheck } from './check.ts';
import { type Finding, ok, problem, renderFindings, shellWord, warning } from './finding.ts';
import { findListener, listeningInodes } from './listener.ts';

describe('the doctor', () => {
  it('turns a check that throws or hangs into a finding', async () => {
    const check = (look: () => Promise<Finding[]>) => runCheck({ topic: 'x', within_ms: 50, look });
    expect(await check(() => Promise.reject(new Error('boom')))).toEqual([
      problem('x', 'boom', expect.stringContaining('report it')),
    ]);
    const late = problem('x', 'gave no answer within 0.05 s', expect.stringContaining('npm run lowrank -- doctor'));
    expect(await check(() => new Promise(() => undefined))).toEqual([late]);
    const told = Object.assign(new Error('It is full. Free some space.'), { cure: 'Free some space.' });
    expect(await check(() => Promise.reject(told))).toEqual([problem('x', 'It is full.', 'Free some space.')]);
  });

  it('prints aligned lines with each cure below what it cures, and a count', () => {
    const lines = renderFindings([
      ok('port', 'free'),
      warning('database', 'old\nvery', 'update'),
      problem('gpu', 'gone', 'find it'),
    ]);
    expect(lines).toEqual([
      '  ok       port      free',
      '  warning  database  old',
      '                     very',
      '                     → update',
      '  PROBLEM  gpu       gone',
      '                     → find it',
      '',
      '  1 problem, 1 warning',
    ]);
    expect(renderFindings([ok('port', 'free')]).at(-1)).toBe('  All is well.');
    expect(shellWord('/a/b-c.d')).toBe('/a/b-c.d');
    expect(shellWord("it's")).toBe("'it'\\''s'");
  });

  it.runIf(process.platform === 'linux')('names the process that holds a port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await findListener(port)).toMatchObject({ pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(await findListener(port)).toBeNull();
    const table =
      '  sl  local_address rem_address   st\n   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4242 1\n   1: 0100007F:0BB8 0100007F:9999 01 0:0 0:0 0 0 0 7 1\n';
    expect(listeningInodes(table, 3000)).toEqual(['4242']);
    expect(listeningInodes(table, 3001)).toEqual([]);
  });
});

describe('npm run lowrank -- doctor', { timeout: 90_000 }, () => {
  const root = resolve(import.meta.dirname, '../../..');
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lowrank-doctor-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The command as a person runs it, on this machine with these variables. */
  function run(variables: Record<string, string>): Promise<{ code: number | null; text: string }> {
    return new Promise((done) => {
      const child = spawn(process.execPath, [join(root, 'src/cli.ts'), 'doctor'], {
        cwd: folder,
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...variables } as unknown as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      child.stderr.on('data', (chunk) => (text += chunk));
      child.on('close', (code) => done({ code, text }));
    });
  }

  it('finds what is planted, names each cure, exits with 1 and starts nothing', async () => {
    const data = join(folder, 'data');
    const programs = join(folder, 'bin');
    await mkdir(data);
    await mkdir(programs);
    await chmod(data, 0o755);
    await writeFile(join(data, 'local-key'), 'k', { mode: 0o644 });
    await writeFile(join(programs, 'nvidia-smi'), '#!/bin/sh\necho "NVIDIA-SMI has failed because it lost the GPU"\nexit 9\n', {
      mode: 0o755,
    });
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const before = (await readdir(data)).sort();
    const { code, text } = await run({
      LOWRANK_DATA_DIR: data,
      LOWRANK_PYTHON: join(folder, 'no-python'),
      LOWRANK_DISK_RESERVE_GB: '1000000',
      DATABASE_URL: 'postgres://nobody:secret-word@127.0.0.1:1/none',
      PORT: String(port),
      PATH: `${programs}:/usr/local/bin:/usr/bin:/bin`,
    });
    await new Promise((resolve) => holder.close(resolve));
    expect(code).toBe(1);
    expect(text).toContain(`→ Close it: chmod 700 ${data}`);
    expect(text).toContain(`→ Close them: chmod 600 ${join(data, 'local-key')}`);
    expect(text).toContain(`LOWRANK_PYTHON names ${join(folder, 'no-python')}, which is not there`);
    expect(text).toContain('less than the reserve');
    expect(text).toContain('nothing listens there');
    expect(text).toContain(`is taken by process ${process.pid}`);
    expect(text).toContain('it lost the GPU');
    expect(text).not.toContain('secret-word');
    expect((await readdir(data)).sort()).toEqual(before);
  });

  it.runIf(process.platform === 'linux')(
    'asks a studio where it listens, whatever PORT says here, and has nobody kill one that answers',
    async () => {
      const data = join(folder, 'answering');
      await mkdir(data, { mode: 0o700 });
      const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8');
      const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      const studio = createHttpServer((_, response) => response.end('{}'));
      await new Promise<void>((resolve) => studio.listen(0, '127.0.0.1', resolve));
      const listens = `http://127.0.0.1:${(studio.address() as AddressInfo).port}`;
      const holder = { pid: process.pid, start, url: 'https://studio.example.org', listens };
      await writeFile(join(data, 'studio.json'), JSON.stringify(holder));
      const variables = { LOWRANK_DATA_DIR: data, PORT: '1', LOWRANK_PYTHON: join(folder, 'no-python') };
      const answering = await run(variables);
      expect(answering.text).toContain(`runs: https://studio.example.org, process ${process.pid}`);
      expect(answering.text).toContain(`${listens.replace('http://', '')} is the studio's`);
      expect(answering.text).not.toContain('kill');
      await new Promise((resolve) => studio.close(resolve));
      const deaf = await run(variables);
      expect(deaf.text).toContain(`end it (kill ${process.pid})`);
    },
  );

  it('takes a variable that breaks its rule for a finding', async () => {
    const { code, text } = await run({ PORT: 'many' });
    expect(code).toBe(1);
    expect(text).toMatch(/PROBLEM {2}environment .*break their rules/);
    expect(text).toContain('PORT');
    expect(text).not.toContain('    at ');
  });
});
