// Starts one postmaster on a home that has none, and waits until it takes connections.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Account, runAs, SERVER_ENV } from './account.ts';
import type { Binaries } from './binaries.ts';
import { explainFailure } from './failure.ts';
import { freePort, isPortFree } from './free-port.ts';
import type { Home } from './home.ts';
import { isAlive, leftBackends, type Postmaster, readPostmaster, servesFolder } from './postmaster.ts';
import { ServerError } from './server-error.ts';
import { logSize, openLog, readLog } from './server-log.ts';
import { serverSettings } from './settings.ts';
import { signalServer } from './stop-server.ts';

export interface StartOptions {
  home: Home;
  binaries: Binaries;
  account: Account | null;
  durable: boolean;
  connections_max: number;
  /** A port that must be taken; without it the one of last time, or a free one. */
  port: number | undefined;
  /** With false the server ends with this process, as a test's should. */
  outlives_us: boolean;
  log: (line: string) => void;
}

const TRIES_MAX = 20;
const PAUSE_MS = 300;
const TRIES_BEFORE_EVICTION = 7;

// A server whose standard input closes is one whose starter is gone. (A shell gives what it sends to the background no
// input but what is handed on by number.)
const WITH_US =
  'trap "" INT TERM; exec 3<&0; "$@" </dev/null 3<&- & server=$!; { cat <&3 >/dev/null; kill -QUIT $server; } 2>/dev/null & wait $server';

function launch(options: StartOptions, port: number): ChildProcess {
  const { home, binaries, account } = options;
  const args = [
    '-D',
    home.pgdata,
    ...serverSettings({ port, durable: options.durable, connections_max: options.connections_max }),
  ];
  const log = openLog(home);
  try {
    const as = { ...runAs(account), cwd: '/', env: SERVER_ENV, detached: true };
    if (!options.outlives_us) {
      const child = spawn('/bin/sh', ['-c', WITH_US, 'sh', binaries.postgres, ...args], {
        ...as,
        stdio: ['pipe', log.fd, log.fd],
      });
      child.stdin?.on('error', () => options.log('the test server closed its input'));
      child.unref();
      (child.stdin as unknown as { unref(): void } | null)?.unref();
      return child;
    }
    const child = spawn(binaries.postgres, args, { ...as, stdio: ['ignore', log.fd, log.fd] });
    child.unref();
    return child;
  } finally {
    log.close();
  }
}

/** The port of last time if it can be had, else a new one; `port` alone when the caller insists. */
async function choosePort(options: StartOptions): Promise<number> {
  if (options.port !== undefined) {
    if (await isPortFree(options.port)) return options.port;
    throw new ServerError(
      'port_taken',
      `Port ${options.port} on 127.0.0.1, where the database should listen, is taken by another program.`,
      'Stop that program or name another port.',
    );
  }
  const file = join(options.home.path, 'port');
  const remembered = Number(await readFile(file, 'utf8').catch(() => ''));
  if (Number.isInteger(remembered) && remembered > 0) {
    if (await isPortFree(remembered)) return remembered;
    options.log(`port ${remembered} of the database is taken by another program; choosing a new one`);
  }
  const port = await freePort();
  await writeFile(`${file}.new`, String(port), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return port;
}

/** Waits for the postmaster of `pgdata` to take connections. Null when it is gone first; a start-up that replays a long log may take minutes. */
export async function untilReady(pgdata: string, log: (line: string) => void, ended: () => boolean): Promise<Postmaster | null> {
  const began = performance.now();
  let told = 0;
  for (;;) {
    const found = await readPostmaster(pgdata);
    if (found?.ready && (await isAlive(found.pid))) return found;
    if (ended()) return null;
    const waited_s = Math.floor((performance.now() - began) / 10_000) * 10;
    if (waited_s > told) {
      told = waited_s;
      log(`the database is still starting (${waited_s} s)`);
    }
    await pause(25);
  }
}

/** Removes a `postmaster.pid` whose process number now belongs to a program that is no server of this folder. */
async function dropStalePid(pgdata: string): Promise<void> {
  const left = await readPostmaster(pgdata);
  if (left === null || !(await isAlive(left.pid)) || (await servesFolder(left.pid, pgdata)) !== false) return;
  if ((await leftBackends(pgdata)).length === 0) await rm(join(pgdata, 'postmaster.pid'));
}

/**
 * Starts the server. Backends that outlive a killed postmaster block the next one for a moment, so it tries again; those that stay
 * are told to quit. Null when another starter won: its server is the one to adopt. Throws `port_taken`, `disk_full`, `start_failed` …
 */
export async function startServer(options: StartOptions): Promise<Postmaster | null> {
  const { home, log } = options;
  for (let tries = 1; ; tries++) {
    await dropStalePid(home.pgdata);
    const from = await logSize(home);
    const port = await choosePort(options);
    const child = launch(options, port);
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    const ended = () => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
    const ready = await untilReady(home.pgdata, log, ended);
    if (ready !== null && !ended()) return ready;
    const words = failure === undefined ? await readLog(home, from) : failure.message;
    if (/lock file "postmaster.pid" already exists/.test(words)) return null;
    const passing = /pre-existing shared memory block|could not bind IPv4 address/.test(words);
    if (!passing || tries === TRIES_MAX) throw explainFailure('The database server did not start', words);
    if (tries === 1) log('processes of the last server are still leaving; trying again');
    if (tries === TRIES_BEFORE_EVICTION) for (const pid of await leftBackends(home.pgdata)) signalServer(pid, 'SIGQUIT');
    await pause(PAUSE_MS);
  }
}
