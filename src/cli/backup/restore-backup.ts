import { randomBytes } from 'node:crypto';
import { chown, cp, lstat, mkdir, readdir, realpath, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Account, serverAccount } from '#/db/embedded/account.ts';
import { findBinaries } from '#/db/embedded/binaries.ts';
import { type Home, makeHome } from '#/db/embedded/home.ts';
import { isAlive } from '#/db/embedded/postmaster.ts';
import { syncFolder } from '#/storage/staged-file.ts';
import { CommandError } from '../command-error.ts';
import type { BackupHeader } from './archive-format.ts';
import { readArchive } from './read-archive.ts';

export interface RestoreOptions {
  file: string;
  data_dir: string;
  /** The account that the embedded server runs as when we are root. */
  account: string;
  /** The database is elsewhere (DATABASE_URL). */
  database_elsewhere: boolean;
  onBytes: (done: number, of: number) => void;
  /** Where database folders go that the account could not reach below the data directory. */
  outside?: string;
}

const STAGED = /\.restoring-(\d+)-[0-9a-f]+$/;

/** Refuses what this installation could not run. */
async function refuseMisfit(header: BackupHeader, staged: string, options: RestoreOptions): Promise<void> {
  const { database, bytes } = header;
  if (database !== null && options.database_elsewhere) {
    throw new CommandError(
      'This backup holds its own database, and DATABASE_URL names another: unset DATABASE_URL, then restore.',
    );
  }
  if (database === null && !options.database_elsewhere) {
    throw new CommandError(
      'This backup was made with DATABASE_URL and holds no database: restore that one (pg_restore), set DATABASE_URL, then restore this file.',
    );
  }
  if (database !== null) {
    const { major } = await findBinaries({ home: staged, account: null });
    if (database.major !== major) {
      throw new CommandError(
        `This backup was made by PostgreSQL ${database.major}, and this Lowrank brings ${major}: restore it with the version of Lowrank that made it (${header.lowrank}).`,
      );
    }
    if (database.arch !== process.arch) {
      throw new CommandError(
        `The database in this backup was made on ${database.arch}, and this machine is ${process.arch}: restore it on a machine of that type.`,
      );
    }
  }
  const { bavail, bsize } = await statfs(staged);
  if (bavail * bsize < bytes) {
    const gb = (count: number) => `${(count / 1e9).toFixed(2)} GB`;
    throw new CommandError(
      `The backup needs ${gb(bytes)}, and ${dirname(staged)} has ${gb(bavail * bsize)} free: free some space there.`,
    );
  }
}

/** The data directory must be missing or empty: a restore never mixes with what is there. */
async function refuseOccupied(data_dir: string): Promise<void> {
  const found = await lstat(data_dir).catch(() => null);
  if (found === null) return;
  if (!found.isDirectory())
    throw new CommandError(`${data_dir} is not a folder: move it away, or choose another with LOWRANK_DATA_DIR.`);
  if ((await readdir(data_dir)).length > 0) {
    throw new CommandError(
      `The data directory ${data_dir} is not empty: move it away, or choose another with LOWRANK_DATA_DIR. A restore never mixes with what is there.`,
    );
  }
}

/** What restores left behind whose process is gone. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const maker = Number(STAGED.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(maker) && maker !== process.pid && !(await isAlive(maker)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

/** Gives a whole tree to the account that the server runs as. */
async function giveTo(account: Account, path: string): Promise<void> {
  await chown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(account, below);
    else await chown(below, account.uid, account.gid);
  }
}

/** Moves what lies in `from` into the home that is being made, which may be on another disk. */
async function fillHome(from: string, home: Home, account: Account | null): Promise<void> {
  for (const name of await readdir(from)) {
    await rename(join(from, name), join(home.path, name)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error;
      await cp(join(from, name), join(home.path, name), { recursive: true });
    });
  }
  if (account !== null) await giveTo(account, home.pgdata);
  await syncFolder(home.path);
}

/** Brings a backup back into an empty data directory: whole, checked file by file, or not at all. */
export async function restoreBackup(options: RestoreOptions): Promise<BackupHeader> {
  const file = resolve(options.file);
  if (
    !(await stat(file).then(
      (found) => found.isFile(),
      () => false,
    ))
  )
    throw new CommandError(`There is no file ${file}.`);
  const wanted = resolve(options.data_dir);
  await refuseOccupied(wanted);
  const account = await serverAccount(options.account);
  await mkdir(dirname(wanted), { recursive: true });
  const data_dir = join(await realpath(dirname(wanted)), basename(wanted));
  await removeAbandoned(dirname(data_dir));
  const staged = `${data_dir}.restoring-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(staged, { mode: 0o700 });
  let home: Home | null = null;
  try {
    const header = await readArchive(file, staged, (found) => refuseMisfit(found, staged, options), options.onBytes);
    const data = join(staged, 'data');
    await mkdir(data, { recursive: true, mode: 0o700 });
    if (header.database !== null) {
      await mkdir(join(data, 'postgres'), { mode: account === null ? 0o700 : 0o711 });
      home = await makeHome(join(data, 'postgres'), account, options.outside ?? '/var/lib/lowrank', (made) =>
        fillHome(join(staged, 'database'), made, account),
      );
      await syncFolder(join(data, 'postgres'));
    }
    await syncFolder(data);
    await rmdir(data_dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rename(data, data_dir);
    await syncFolder(dirname(data_dir));
    await rm(staged, { recursive: true, force: true });
    return header;
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (home !== null && !home.path.startsWith(join(staged, '/'))) await rm(home.path, { recursive: true, force: true });
    throw error;
  }
}
