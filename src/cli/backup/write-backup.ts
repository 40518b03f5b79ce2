import { access, mkdir, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Account, serverAccount } from '#/db/embedded/account.ts';
import { findHome, type Home } from '#/db/embedded/home.ts';
import { isAlive, readPostmaster, servesFolder } from '#/db/embedded/postmaster.ts';
import { CommandError } from '../command-error.ts';
import { listTree, type TreeEntry } from './list-tree.ts';
import { runningTrainings } from './running-trainings.ts';
import { writeArchive } from './write-archive.ts';

export interface BackupOptions {
  file: string;
  data_dir: string;
  /** The account that the embedded server runs as when we are root. */
  account: string;
  /** The database is elsewhere (DATABASE_URL) and does not come along. */
  database_elsewhere: boolean;
  lowrank: string;
  onBytes: (done: number, of: number) => void;
}

export interface BackupReport {
  files: number;
  bytes: number;
  /** Paths of links, sockets and the like, which a backup does not hold. */
  left_out: string[];
  /** False when there is no database in it. */
  database: boolean;
}

/** What is made anew or belongs to this place alone. */
const NOT_DATA = new Set(['postgres', 'logs', 'studio.json']);
const NOT_DATABASE = new Set(['data-folder.json', 'port', 'port.new', 'server.log', 'server.log.1', 'stopped-on-purpose']);
const NOT_PGDATA = new Set(['pgdata/postmaster.pid', 'pgdata/postmaster.opts']);

/** Throws while the embedded server of `home` runs: its files are in step with each other only when it has ended. */
async function refuseRunningServer(home: Home): Promise<void> {
  const found = await readPostmaster(home.pgdata);
  if (found === null || !(await isAlive(found.pid)) || (await servesFolder(found.pid, home.pgdata)) === false) return;
  throw new CommandError(
    `The database still runs (process ${found.pid}), although no studio does. Start the studio and end it in order (npm start, then Ctrl-C), then back up.`,
  );
}

async function openTarget(file: string, data_dir: string): Promise<string> {
  const folder = await realpath(dirname(resolve(file))).catch(() => {
    throw new CommandError(`There is no folder ${dirname(resolve(file))}: make it, or name another file.`);
  });
  const target = join(folder, resolve(file).slice(dirname(resolve(file)).length));
  const there = await access(target).then(
    () => true,
    () => false,
  );
  if (there) throw new CommandError(`${target} exists already: choose another name. A backup never replaces a file.`);
  const way = relative(data_dir, target);
  if (way !== '' && !way.startsWith('..'))
    throw new CommandError(`${target} lies in the data directory, which is what is backed up: name a file outside ${data_dir}.`);
  return target;
}

/** Copies a stopped installation into one file, whole or not at all. The caller keeps a studio from starting meanwhile. */
export async function writeBackup(options: BackupOptions): Promise<BackupReport> {
  const there = await stat(options.data_dir).catch(() => null);
  if (there === null || !there.isDirectory())
    throw new CommandError(`There is no data directory ${options.data_dir}, so there is nothing to back up.`);
  const data_dir = await realpath(options.data_dir);
  const file = await openTarget(options.file, data_dir);
  const trainings = await runningTrainings(join(data_dir, 'runs'));
  if (trainings.length > 0) {
    throw new CommandError(
      `Trainings still run (${trainings.join(', ')}): they go on when the studio ends. Start it again and wait for them or cancel them there, then back up.`,
    );
  }
  const home = options.database_elsewhere ? null : await databaseHome(data_dir, await serverAccount(options.account));
  if (home !== null) await refuseRunningServer(home);

  const left_out: string[] = [];
  const entries: TreeEntry[] = [];
  if (home !== null) {
    const skip = (path: string) => NOT_DATABASE.has(path) || NOT_PGDATA.has(path) || /^binaries-/.test(path);
    entries.push(
      ...(await listTree(home.path, 'database', skip, (path) => {
        throw new CommandError(`${path} is a link: a database that is spread over several places is not backed up this way.`);
      })),
    );
  }
  const skip = (path: string) => NOT_DATA.has(path) || /^studio\.json\./.test(path);
  entries.push(...(await listTree(data_dir, 'data', skip, (path) => left_out.push(path))));
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  await checkSpace(dirname(file), bytes);

  let done = 0;
  const header = {
    format: 'lowrank-backup',
    version: 1,
    made_at: new Date().toISOString(),
    lowrank: options.lowrank,
    database:
      home === null ? null : { major: Number(await readFile(join(home.pgdata, 'PG_VERSION'), 'utf8')), arch: process.arch },
    files: entries.filter(({ kind }) => kind === 'file').length,
    bytes,
  } as const;
  await writeArchive(file, header, entries, (more) => {
    done += more;
    options.onBytes(done, bytes);
  });
  return { files: header.files, bytes, left_out, database: home !== null };
}

/** Null where the installation never had a database, as before its first start. */
async function databaseHome(data_dir: string, account: Account | null): Promise<Home | null> {
  return findHome(join(data_dir, 'postgres'), account);
}

async function checkSpace(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  // Plain tar adds up to a kilobyte a file; a compressed one needs less than this.
  if (bavail * bsize > bytes * 1.02) return;
  const gb = (count: number) => `${(count / 1e9).toFixed(2)} GB`;
  throw new CommandError(
    `The backup needs up to ${gb(bytes)}, and ${folder} has ${gb(bavail * bsize)} free: name a file on a larger disk.`,
  );
}
