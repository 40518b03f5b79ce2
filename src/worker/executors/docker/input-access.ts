/** Lets a container's account read what its run is given, and write where it may. */
import { chmod, chown, lchown, lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { LaunchError, type RunPaths } from '../executor.ts';
import { pathsInContainer } from './container.ts';

/** An account of a container: whoever launches as root gives its runs one without rights. */
export interface Account {
  uid: number;
  gid: number;
}

/** Of a container whose worker is root. No account of a Debian or Ubuntu has the number. */
const UNPRIVILEGED: Account = { uid: 10_001, gid: 10_001 };

/** By which account a run's container reads and writes: the worker's own, so that both have the run's files, but never root. */
export function accountOf(is_rootless: boolean): Account {
  // Root inside of a rootless engine is the account that the engine runs as.
  if (is_rootless) return { uid: 0, gid: 0 };
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return uid === 0 ? UNPRIVILEGED : { uid, gid };
}

export interface Access {
  account: Account;
  /** What lies below it only this account of the host can reach, so that its files may be opened to all. */
  private_folder: string;
  /** The attempt's folder. */
  folder: string;
  /** What the job's attempts share. */
  cache: string;
}

/** Gives the run's own files to the account and sees that it can read the others. Throws `LaunchError`. */
export async function grantAccess(paths: RunPaths, access: Access): Promise<void> {
  // Files of the worker's own account need nothing, whatever their mode.
  if (process.getuid?.() !== 0 || access.account.uid === 0) return;
  const { uid, gid } = access.account;
  for (const path of [paths.output_path, join(access.folder, 'config.json')]) await chown(path, uid, gid);
  await giveWhole(access.cache, access.account);
  const read = [paths.dataset_path, paths.base_model_path, ...paths.init_adapters];
  for (const path of paths.resume_from === null ? read : [...read, paths.resume_from])
    await letRead(await realpath(path), access);
}

/** Gives a folder with all that lies in it, whoever made that: an earlier attempt may have been a process. Links stay links. */
async function giveWhole(path: string, { uid, gid }: Account): Promise<void> {
  const facts = await lstat(path);
  if (facts.uid !== uid) await lchown(path, uid, gid);
  if (facts.isDirectory()) for (const name of await readdir(path)) await giveWhole(join(path, name), { uid, gid });
}

/**
 * Sees that the account can read a file or folder. What is private is opened to it, but never by way of a link: a trainer may have left
 * one in its checkpoint. Throws `LaunchError`.
 */
export async function letRead(path: string, access: Omit<Access, 'folder' | 'cache'>): Promise<void> {
  const facts = await stat(path);
  const is_link = (await lstat(path)).isSymbolicLink();
  const wanted = facts.isDirectory() ? 0o5 : 0o4;
  const given = facts.uid === access.account.uid ? facts.mode >> 6 : facts.mode;
  if ((given & wanted) !== wanted) {
    const may_open = !is_link && facts.uid !== access.account.uid && isBelow(await realpath(path), access.private_folder);
    if (!may_open)
      throw new LaunchError(
        'launch_failed',
        `${basename(path)} cannot be read by the account of containers (uid ${access.account.uid}): chmod -R o+rX it`,
      );
    await chmod(path, facts.mode | wanted);
  }
  if (facts.isDirectory() && !is_link) for (const name of await readdir(path)) await letRead(join(path, name), access);
}

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${resolve(folder)}${sep}`);

/**
 * The files that links in the base model lead to and that lie outside of its folder, as in the cache of the Hub's own tools: where
 * each lies, and where its link looks for it in the container. Throws `LaunchError` for one outside of `folders`.
 */
export async function linkedFiles(paths: RunPaths, folders: string[]): Promise<{ source: string; target: string }[]> {
  const inside = pathsInContainer(paths).base_model_path;
  const root = await realpath(paths.base_model_path);
  const found = new Map<string, string>();
  const look = async (folder: string, seen_at: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await look(path, join(seen_at, entry.name));
      if (!entry.isSymbolicLink()) continue;
      const source = await realpath(path);
      if (isBelow(source, root)) continue;
      if (!folders.some((one) => isBelow(source, one)))
        throw new LaunchError(
          'launch_failed',
          `${entry.name} of the base model is a link to a file outside of the model folders`,
        );
      found.set(resolve(dirname(join(seen_at, entry.name)), await readlink(path)), source);
    }
  };
  await look(root, inside);
  return [...found].map(([target, source]) => ({ source, target }));
}
