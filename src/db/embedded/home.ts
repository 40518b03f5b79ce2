// Where a server lives. Usually `<data_dir>/server`; where the server's account cannot enter that folder, a private
// folder below /var/lib/lowrank, remembered in `<data_dir>/server-location.json`.
import { randomBytes } from 'node:crypto';
import { chown, link, lstat, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Account, canEnter, firstBarrier } from './account.ts';
import { isAlive } from './postmaster.ts';
import { ServerError } from './server-error.ts';

/** The folder of one server: `pgdata/`, `credentials.json`, `port`, `server.log` and, if need be, a copy of the binaries. */
export interface Home {
  path: string;
  pgdata: string;
}

interface Location {
  home: string;
}

const LOCATION = 'server-location.json';

function homeAt(path: string): Home {
  return { path, pgdata: join(path, 'pgdata') };
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/** Throws unless `path` is a real folder, of `account` (or ours) alone. */
async function checkPrivate(path: string, account: Account | null): Promise<void> {
  const found = await lstat(path);
  const uid = account?.uid ?? process.getuid?.() ?? found.uid;
  if (!found.isDirectory()) {
    throw new ServerError('not_a_server_folder', `${path} is not a folder.`, 'Move it away, or choose another data folder.');
  }
  if (found.uid !== uid) {
    const who = account === null ? `us (uid ${uid})` : `the account ${account.name} (uid ${uid})`;
    throw new ServerError(
      'wrong_owner',
      `The database folder ${path} belongs to uid ${found.uid}, not to ${who}.`,
      `Run as its owner, or hand it over while nothing runs: chown -R ${uid} ${join(path, 'pgdata')} && chown ${uid} ${path}`,
    );
  }
  if ((found.mode & 0o077) !== 0) {
    throw new ServerError('wrong_owner', `The database folder ${path} is open to other accounts.`, `Close it: chmod 700 ${path}`);
  }
}

/** The common parent of homes outside data folders: root's, and writable by nobody else. */
async function openOutside(outside: string, account: Account | null, data_dir: string): Promise<void> {
  const cure = `Let the account in (chmod o+x on ${(await firstBarrier(account, data_dir)) ?? data_dir}), choose a data folder that it may enter, or set DATABASE_URL.`;
  const what = `The account ${account?.name ?? ''} that PostgreSQL runs as may not enter ${data_dir}, and`;
  await mkdir(dirname(outside), { recursive: true });
  await mkdir(outside, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST')
      throw new ServerError('unreachable_folder', `${what} ${outside} cannot be made: ${error.message}.`, cure);
  });
  const found = await lstat(outside);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new ServerError('unreachable_folder', `${what} ${outside} was made by somebody else.`, cure);
  }
  if (!(await canEnter(account, outside))) throw new ServerError('unreachable_folder', `${what} not ${outside} either.`, cure);
}

/** The home that `data_dir` already has, checked; null on a first start. Throws `wrong_owner`, `shared_folder`, `unreachable_folder`. */
export async function findHome(data_dir: string, account: Account | null): Promise<Home | null> {
  const inside = join(data_dir, 'server');
  const pointer = join(data_dir, LOCATION);
  if (!(await exists(pointer))) {
    if (!(await exists(inside))) return null;
    await checkPrivate(inside, account);
    const barrier = await firstBarrier(account, inside);
    if (barrier !== null) {
      throw new ServerError(
        'unreachable_folder',
        `The account ${account?.name ?? ''} that PostgreSQL runs as may not enter ${barrier}.`,
        `Let it in: chmod o+x ${barrier}`,
      );
    }
    return homeAt(inside);
  }
  const { home } = JSON.parse(await readFile(pointer, 'utf8')) as Location;
  if (!(await exists(home))) {
    throw new ServerError(
      'not_a_server_folder',
      `${pointer} names the database folder ${home}, which is gone.`,
      `Bring it back, or remove ${pointer} to begin with an empty database.`,
    );
  }
  await checkPrivate(home, account);
  await claimOwnership(home, data_dir);
  return homeAt(home);
}

/** A data folder that was moved keeps its server; one that was copied must not share it with the original. */
async function claimOwnership(home: string, data_dir: string): Promise<void> {
  const record = join(home, 'data-folder.json');
  const ours = await realpath(data_dir);
  const { data_dir: recorded } = JSON.parse(await readFile(record, 'utf8')) as { data_dir: string };
  if (recorded === ours) return;
  const other = await readFile(join(recorded, LOCATION), 'utf8').catch(() => null);
  if (other !== null && (JSON.parse(other) as Location).home === home) {
    throw new ServerError(
      'shared_folder',
      `${ours} is a copy of ${recorded}, and both name the database ${home}.`,
      `Use the original, or remove ${join(ours, LOCATION)} to begin with an empty database.`,
    );
  }
  await writeFile(record, JSON.stringify({ data_dir: ours }));
}

/**
 * Makes the home of a first start: `fill` works in a staged folder, which then appears under its final name in one step, so that
 * a start killed half-way leaves nothing that looks like a database. Of two makers at once the later one gets the earlier one's home.
 */
export async function makeHome(
  data_dir: string,
  account: Account | null,
  outside: string,
  fill: (home: Home) => Promise<void>,
): Promise<Home> {
  const reachable = (await firstBarrier(account, data_dir)) === null;
  if (!reachable) await openOutside(outside, account, data_dir);
  const parent = reachable ? data_dir : outside;
  await removeAbandoned(parent);
  const staged = join(parent, `server-staged-${process.pid}-${randomBytes(6).toString('hex')}`);
  await mkdir(staged, { mode: 0o700 });
  try {
    if (account !== null) await chown(staged, account.uid, account.gid);
    await fill(homeAt(staged));
    if (!reachable) await writeFile(join(staged, 'data-folder.json'), JSON.stringify({ data_dir: await realpath(data_dir) }));
    const path = reachable ? join(data_dir, 'server') : join(outside, randomBytes(8).toString('hex'));
    await rename(staged, path);
    if (!reachable) await point(data_dir, path);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  const home = await findHome(data_dir, account);
  if (home === null)
    throw new ServerError('not_a_server_folder', `The database folder below ${data_dir} vanished.`, 'Start again.');
  return home;
}

/** Names `home` as the server of `data_dir`, unless another start already named one; then `home` goes. */
async function point(data_dir: string, home: string): Promise<void> {
  const staged = join(data_dir, `${LOCATION}-${randomBytes(6).toString('hex')}`);
  await writeFile(staged, JSON.stringify({ home } satisfies Location), { mode: 0o600 });
  try {
    await link(staged, join(data_dir, LOCATION));
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(staged, { force: true });
  }
}

/** Staged homes whose maker is gone. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const maker = /^server-staged-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined && Number(maker) !== process.pid && !(await isAlive(Number(maker)))) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** The data folder itself, made if need be; its final path with links resolved. */
export async function openDataFolder(data_dir: string): Promise<string> {
  const path = resolve(data_dir);
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isDirectory()) {
    throw new ServerError('not_a_server_folder', `${path} is not a folder.`, 'Choose another data folder.');
  }
  // As root others must pass through it to reach the server's own folder, which is closed to everyone but its account.
  await mkdir(path, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  return realpath(path);
}
