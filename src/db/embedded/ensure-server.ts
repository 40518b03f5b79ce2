// The embedded database: one real PostgreSQL server a data folder, whoever asks first starts it and everyone else adopts it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { serverAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { findHome, type Home, makeHome, openDataFolder } from './home.ts';
import { type Credentials, DATABASE, initialise, OWNER, readCredentials, SUPERUSER } from './initialise.ts';
import { isAlive, type Postmaster, readPostmaster, servesFolder } from './postmaster.ts';
import { ServerError } from './server-error.ts';
import { boundLog, keepLogBounded } from './server-log.ts';
import { startServer, untilReady } from './start-server.ts';

export interface ServerOptions {
  /** The folder that holds the database; made if need be. */
  data_dir: string;
  /** One line of progress, for a person. */
  log: (line: string) => void;
  /** Whom the server runs as when we are root; "nobody" unless said. */
  account?: string | undefined;
  /** A folder with `postgres` and `initdb` to use instead of npm's, for example Debian's /usr/lib/postgresql/15/bin. */
  bin_dir?: string | undefined;
  /** The TCP port on 127.0.0.1; chosen and remembered unless said. */
  port?: number | undefined;
  /** False turns fsync off: for tests alone. */
  durable?: boolean | undefined;
  /** False ends the server with this process: for tests alone. */
  outlives_us?: boolean | undefined;
  connections_max?: number | undefined;
  /** Where homes go that the account could not reach below `data_dir`. */
  outside?: string | undefined;
}

/** `fast` ends sessions and writes everything out; `immediate` leaves that to the next start. */
export type StopMode = 'fast' | 'immediate';

export interface DatabaseServer {
  /** The owner's address of our database: may create roles and databases, is no superuser and obeys policies. */
  url: string;
  /** The superuser's address: for the tests and the doctor, never for serving requests. */
  superuser_url: string;
  pid: number;
  port: number;
  /** True when the server ran already. */
  adopted: boolean;
  /** The folder with the cluster, its log and its credentials. */
  home: string;
  /** Ends the server, whoever started it, and waits until its process is gone. */
  stop: (mode?: StopMode) => Promise<void>;
  /** Lets go of the server without ending it. */
  release: () => void;
}

const STOP_WITHIN_MS = 60_000;

function addressOf(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** The live postmaster of `home`, ready; null where there is none. */
async function findLive(home: Home, log: (line: string) => void): Promise<Postmaster | null> {
  const found = await readPostmaster(home.pgdata);
  if (found === null || !(await isAlive(found.pid)) || (await servesFolder(found.pid, home.pgdata)) === false) return null;
  let gone = false;
  const watch = setInterval(() => void isAlive(found.pid).then((alive) => (gone = !alive)), 100);
  try {
    return await untilReady(home.pgdata, log, () => gone);
  } finally {
    clearInterval(watch);
  }
}

/** Proves by its password and its data folder that what listens on the port is our server. */
async function proveIdentity(home: Home, postmaster: Postmaster, credentials: Credentials): Promise<void> {
  const client = new pg.Client({
    connectionString: addressOf(SUPERUSER, credentials.superuser, postmaster.port, 'postgres'),
    connectionTimeoutMillis: 10_000,
  });
  // A server that dies while we ask reports it twice: through the query and as an event.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string }>("select current_setting('data_directory') as folder");
    if (rows[0]?.folder !== home.pgdata) {
      throw new ServerError(
        'password_refused',
        `Port ${postmaster.port} is served by the database of ${rows[0]?.folder}, not of ${home.pgdata}.`,
        'Stop that server.',
      );
    }
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new ServerError(
      'password_refused',
      `The database on port ${postmaster.port} refuses the password in ${join(home.path, 'credentials.json')}.`,
      'Restore that file from the backup that belongs to this data folder.',
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function stopServer(home: Home, postmaster: Postmaster, mode: StopMode): Promise<void> {
  // A process number is given out again: signal nothing that is not our server.
  if ((await servesFolder(postmaster.pid, home.pgdata)) === false) return;
  const signal = mode === 'fast' ? 'SIGINT' : 'SIGQUIT';
  const began = performance.now();
  let urged = false;
  while (await isAlive(postmaster.pid)) {
    try {
      if (performance.now() - began < 50) process.kill(postmaster.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    const waited_ms = performance.now() - began;
    if (!urged && waited_ms > STOP_WITHIN_MS) {
      // The next start recovers from the log of changes: slower, but nothing that was acknowledged is lost.
      urged = true;
      process.kill(postmaster.pid, 'SIGQUIT');
    }
    if (waited_ms > STOP_WITHIN_MS + 15_000) {
      throw new ServerError(
        'stop_failed',
        `The database server (process ${postmaster.pid}) does not end.`,
        `Look at what holds it; kill -9 ${postmaster.pid} is safe for its data.`,
      );
    }
    await pause(waited_ms < 50 ? 55 : 25);
  }
}

async function checkMajor(home: Home, major: number): Promise<void> {
  const text = await readFile(join(home.pgdata, 'PG_VERSION'), 'utf8').catch(() => null);
  if (text === null) {
    throw new ServerError(
      'not_a_server_folder',
      `${home.pgdata} holds no database cluster.`,
      'Restore it from a backup, or move the folder away to begin with an empty database.',
    );
  }
  const made_by = Number(text);
  if (made_by === major) return;
  throw new ServerError(
    'wrong_major',
    `The database in ${home.pgdata} was made by PostgreSQL ${made_by}, and this server is PostgreSQL ${major}; they cannot read each other's files.`,
    `Run it with PostgreSQL ${made_by} once to write a backup, and restore that into a new data folder.`,
  );
}

/**
 * The database server of `data_dir`: adopted when it runs, else started, else made first. Any number of processes may ask at once; one
 * server comes of it. It outlives the process that started it. Throws `ServerError`, whose message ends with the cure.
 */
export async function ensureServer(options: ServerOptions): Promise<DatabaseServer> {
  const { log, bin_dir, durable = true } = options;
  const data_dir = await openDataFolder(options.data_dir);
  const account = await serverAccount(options.account ?? 'nobody');
  const home =
    (await findHome(data_dir, account)) ??
    (await makeHome(data_dir, account, options.outside ?? '/var/lib/lowrank', async (staged) => {
      log('making the database');
      await initialise(staged, await findBinaries({ home: staged.path, account, bin_dir }), account, durable);
    }));
  const credentials = await readCredentials(home);
  await boundLog(home);
  let postmaster = await findLive(home, log);
  const adopted = postmaster !== null;
  if (postmaster === null) {
    const binaries = await findBinaries({ home: home.path, account, bin_dir });
    await checkMajor(home, binaries.major);
    const { connections_max = 200, outlives_us = true, port } = options;
    while (postmaster === null) {
      postmaster =
        (await startServer({ home, binaries, account, durable, connections_max, port, outlives_us, log })) ??
        (await findLive(home, log));
    }
  }
  await proveIdentity(home, postmaster, credentials);
  const release = keepLogBounded(home);
  const { pid, port } = postmaster;
  const held = postmaster;
  return {
    url: addressOf(OWNER, credentials.owner, port, DATABASE),
    superuser_url: addressOf(SUPERUSER, credentials.superuser, port, DATABASE),
    pid,
    port,
    adopted,
    home: home.path,
    stop: async (mode = 'fast') => {
      release();
      await stopServer(home, held, mode);
    },
    release,
  };
}
