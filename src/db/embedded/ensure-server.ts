// The embedded database: one real PostgreSQL server a data folder, whoever asks first starts it and everyone else adopts it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Account, serverAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { findHome, type Home, makeHome, openDataFolder } from './home.ts';
import { type Credentials, DATABASE, initialise, OWNER, readCredentials, SUPERUSER } from './initialise.ts';
import { isAlive, type Postmaster, readPostmaster, servesFolder } from './postmaster.ts';
import { ServerError } from './server-error.ts';
import { boundLog, keepLogBounded } from './server-log.ts';
import { startServer, untilReady } from './start-server.ts';
import { forgetStop, rememberStop, type StopMode, stopServer } from './stop-server.ts';

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

/** What the file system refused, as an error that names the way out; anything else as it is. */
function explainRefusal(error: unknown, data_dir: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ServerError('disk_full', `The disk of ${data_dir} is full.`, 'Free some space there, then start again.', {
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const cure = 'Run as the owner of that folder, or choose another data folder.';
    return new ServerError('wrong_owner', `The database folder below ${data_dir} cannot be used: ${message}.`, cure, {
      cause: error,
    });
  }
  return error;
}

/** The live server of `home`, started if there is none. A server that dies between two of our steps is started again, twice. */
async function obtain(
  home: Home,
  account: Account | null,
  options: ServerOptions,
): Promise<{ found: Postmaster; adopted: boolean }> {
  const { log, bin_dir, durable = true, connections_max = 200, outlives_us = true, port } = options;
  for (let tries = 1; ; tries++) {
    const live = await findLive(home, log);
    let found = live;
    if (found === null) {
      const binaries = await findBinaries({ home: home.path, account, bin_dir });
      await checkMajor(home, binaries.major);
      found = await startServer({ home, binaries, account, durable, connections_max, port, outlives_us, log });
    }
    if (found === null) {
      if (tries > 20) {
        const what = `Another server holds ${home.pgdata}, but it cannot be recognised as ours.`;
        throw new ServerError(
          'start_failed',
          what,
          `Look at process ${(await readPostmaster(home.pgdata))?.pid}, and stop it if it is PostgreSQL.`,
        );
      }
      await pause(100);
      continue;
    }
    try {
      await proveIdentity(home, found, await readCredentials(home));
      return { found, adopted: live !== null };
    } catch (error) {
      if (error instanceof ServerError || tries >= 3 || (await isAlive(found.pid))) throw error;
      log('the database ended while we spoke to it; starting it again');
    }
  }
}

/**
 * The database server of `data_dir`: adopted when it runs, else started, else made first. Any number of processes may ask at once; one
 * server comes of it. It outlives the process that started it. Throws `ServerError`, whose message ends with the cure.
 */
export async function ensureServer(options: ServerOptions): Promise<DatabaseServer> {
  const { log, bin_dir, durable = true } = options;
  const account = await serverAccount(options.account ?? 'nobody');
  try {
    const data_dir = await openDataFolder(options.data_dir);
    const home =
      (await findHome(data_dir, account)) ??
      (await makeHome(data_dir, account, options.outside ?? '/var/lib/lowrank', async (staged) => {
        log('making the database');
        await initialise(staged, await findBinaries({ home: staged.path, account, bin_dir }), account, durable);
      }));
    await boundLog(home);
    const { found, adopted } = await obtain(home, account, options);
    await forgetStop(home);
    const credentials = await readCredentials(home);
    const release = keepLogBounded(home);
    return {
      url: addressOf(OWNER, credentials.owner, found.port, DATABASE),
      superuser_url: addressOf(SUPERUSER, credentials.superuser, found.port, DATABASE),
      pid: found.pid,
      port: found.port,
      adopted,
      home: home.path,
      stop: async (mode = 'fast') => {
        release();
        await rememberStop(home);
        await stopServer(home, found, mode);
      },
      release,
    };
  } catch (error) {
    throw explainRefusal(error, options.data_dir);
  }
}
