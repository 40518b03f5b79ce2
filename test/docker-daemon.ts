/** A Docker engine of the tests' own: dockerd by hand in a folder of its own, without networks, and images without a registry. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, createReadStream, openSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { env } from '#/env.ts';
import { dockerEngine } from '#/worker/executors/docker/engine.ts';

/** What dockerd is made of; Debian has it in docker.io, iptables and tini. */
const PROGRAMS = ['dockerd', 'containerd', 'runc', 'iptables', 'docker-init'];
const PATH = `/usr/sbin:/sbin:${env.PATH}`;
const UP_WITHIN_MS = 60_000;

/** Why no dockerd can run here; null when one can. */
export function noDaemonHere(): string | null {
  if (process.getuid?.() !== 0) return 'dockerd wants root';
  const folders = PATH.split(':');
  const isThere = (program: string) =>
    folders.some((folder) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  const missing = PROGRAMS.filter((program) => !isThere(program));
  if (missing.length === 0) return null;
  return `${missing.join(', ')} not found: apt-get install --no-install-recommends docker.io iptables tini`;
}

export interface DockerDaemon {
  folder: string;
  /** unix:///… */
  host: string;
  /** As by the kernel for want of memory: its containers stay. */
  kill(): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Ends its containers and itself, and removes its folder. */
  remove(): Promise<void>;
}

/** A dockerd below the system's temporary folder, which is not started yet. */
export async function makeDockerDaemon(): Promise<DockerDaemon> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-docker-'));
  await writeFile(join(folder, 'daemon.json'), JSON.stringify({ 'live-restore': true }));
  return dockerDaemonAt(folder);
}

/** The one that lives in this folder, whoever started it. */
export function dockerDaemonAt(folder: string): DockerDaemon {
  const socket = join(folder, 'docker.sock');
  const pid_file = join(folder, 'dockerd.pid');
  const engine = dockerEngine({ kind: 'socket', path: socket });
  const pid = async () => Number(await readFile(pid_file, 'utf8').catch(() => '0'));
  const end = async (signal: NodeJS.Signals) => {
    const number = await pid();
    if (number === 0) return;
    try {
      process.kill(number, signal);
      for (;;) {
        process.kill(number, 0);
        // A child of ours that nobody has reaped yet is gone all the same.
        if (/\) Z /.test(await readFile(`/proc/${number}/stat`, 'utf8').catch(() => ') Z '))) break;
        await pause(10);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await rm(pid_file, { force: true });
  };
  const daemon: DockerDaemon = {
    folder,
    host: `unix://${socket}`,
    async kill() {
      await end('SIGKILL');
      // Its containerd dies with it; where nobody reaps that one, the next dockerd would take it for alive and wait for it.
      await rm(join(folder, 'exec/containerd/containerd.pid'), { force: true });
    },
    async start() {
      const log = openSync(join(folder, 'dockerd.log'), 'a');
      const flags = ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false', '--bridge=none'];
      const places = [
        ['--config-file', 'daemon.json'],
        ['--data-root', 'root'],
        ['--exec-root', 'exec'],
        ['--pidfile', 'dockerd.pid'],
      ].flatMap(([flag = '', name = '']) => [flag, join(folder, name)]);
      const child: ChildProcess = spawn('dockerd', [...places, '--host', `unix://${socket}`, ...flags], {
        detached: true,
        env: { PATH } as unknown as NodeJS.ProcessEnv,
        stdio: ['ignore', log, log],
      });
      child.unref();
      closeSync(log);
      let over = false;
      child.once('exit', () => {
        over = true;
      });
      child.once('error', () => {
        over = true;
      });
      const until = performance.now() + UP_WITHIN_MS;
      while (!(await engine.ask('GET', '/info').then(Boolean, () => false))) {
        if (over || performance.now() > until) {
          const words = (await readFile(join(folder, 'dockerd.log'), 'utf8')).slice(-4_000);
          throw new Error(`dockerd did not come up:\n${words}`);
        }
        await pause(50);
      }
    },
    async remove() {
      const all = await engine.ask('GET', '/containers/json', { query: { all: '1' } }).catch(() => []);
      for (const { Id } of all as { Id: string }[])
        await engine.ask('DELETE', `/containers/${Id}`, { query: { force: '1', v: '1' } }).catch(() => undefined);
      await end('SIGTERM');
      await unmountBelow(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return daemon;
}

/** What a daemon that was killed leaves mounted, the deepest first. */
async function unmountBelow(folder: string): Promise<void> {
  const mounted = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounted.sort((a, b) => b.length - a.length)) execFileSync('umount', ['--lazy', path], { stdio: 'ignore' });
}

/** Imports a folder as an image of this name, whose programs start in /workspace. */
export async function importImage(daemon: DockerDaemon, root: string, name: string): Promise<void> {
  const tar = `${root}.tar`;
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', tar, '.']);
  const [repo = '', tag = 'latest'] = name.split(':');
  const query = new URLSearchParams({ fromSrc: '-', repo, tag });
  for (const change of ['WORKDIR /workspace', 'ENV PATH=/usr/bin:/bin']) query.append('changes', change);
  await new Promise<void>((resolve, reject) => {
    const socketPath = daemon.host.replace('unix://', '');
    const headers = { host: 'docker', 'content-type': 'application/x-tar' };
    const asked = request({ socketPath, method: 'POST', path: `/v1.41/images/create?${query}`, headers }, (answer) => {
      let said = '';
      answer.on('data', (part: Buffer) => {
        said += part;
      });
      answer.once('error', reject);
      answer.once('end', () => (answer.statusCode === 200 && !said.includes('"error"') ? resolve() : reject(new Error(said))));
    });
    asked.once('error', reject);
    createReadStream(tar).pipe(asked);
  });
  await rm(tar);
}

/** The stand-ins' image: this machine's Python with its library, no shell, and the programs of trainer/ that need no more. */
export const STAND_IN_IMAGE = 'lowrank-test/stand-in:1';
/** The same without any program in it. */
export const EMPTY_IMAGE = 'lowrank-test/empty:1';

/** Makes both, in about a second. */
export async function importStandInImages(daemon: DockerDaemon): Promise<void> {
  const facts = execFileSync(
    env.python,
    [
      '-I',
      '-c',
      'import json, os, sys, sysconfig; print(json.dumps([os.path.realpath(sys.executable), sysconfig.get_path("stdlib")]))',
    ],
    { encoding: 'utf8' },
  );
  const [python = '', library = ''] = JSON.parse(facts) as string[];
  const root = join(daemon.folder, 'stand-in');
  const libraries = execFileSync('ldd', [python], { encoding: 'utf8' }).match(/\/[^ ]+/g) ?? [];
  for (const path of [python, ...libraries.map((one) => one.replace(/:$/, ''))]) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await copyFile(path, join(root, path));
  }
  const left_out = ['test', 'idlelib', 'tkinter', 'ensurepip', 'site-packages', 'dist-packages', '__pycache__', 'config-*'];
  const excludes = left_out.map((name) => `--exclude=${name}`);
  const packed = execFileSync('tar', ['-C', library, ...excludes, '-chf', '-', '.'], { maxBuffer: 512 * 1024 ** 2 });
  await mkdir(join(root, library), { recursive: true });
  execFileSync('tar', ['-C', join(root, library), '-xf', '-'], { input: packed });
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await symlink(python, join(root, 'usr/bin/python'));
  const empty = join(daemon.folder, 'empty');
  for (const folder of [root, empty]) await mkdir(join(folder, 'workspace'), { recursive: true });
  await copyFile(join(env.repo, 'test/stand_in_trainer.py'), join(root, 'workspace/train_lora.py'));
  await copyFile(join(env.repo, 'trainer/fake_trainer.py'), join(root, 'workspace/fake_trainer.py'));
  await importImage(daemon, root, STAND_IN_IMAGE);
  await importImage(daemon, empty, EMPTY_IMAGE);
}
