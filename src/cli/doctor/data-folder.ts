// The data directory: whose it is, who may enter, how much room is left and on what kind of disk it lies.

import { constants } from 'node:fs';
import { access, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GB } from '#/domain/bytes.ts';
import { storageLimits } from '#/storage/limits.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem, shellWord, warning } from './finding.ts';

export interface FolderFacts {
  path: string;
  kind: 'missing' | 'file' | 'folder';
  /** Permission bits, such as 0o700. */
  mode: number;
  uid: number;
  our_uid: number;
  /** Of the folder, or of the nearest one above that exists. */
  writable: boolean;
}

export interface DiskFacts {
  path: string;
  free_bytes: number;
  reserve_bytes: number;
  /** The file system's type as the kernel names it (ext4, nfs4, …); null where it does not tell. */
  type: string | null;
}

export function judgeFolder(facts: FolderFacts): Finding {
  const { path, kind, mode, uid, our_uid, writable } = facts;
  const word = shellWord(path);
  const elsewhere = 'or choose another folder: LOWRANK_DATA_DIR=/path/to/folder npm start';
  if (kind === 'file') return problem('data', `${path} is not a folder`, `Move it away, ${elsewhere}`);
  if (kind === 'missing') {
    if (writable) return ok('data', `${path} does not exist yet; the first start makes it`);
    return problem(
      'data',
      `${path} does not exist and cannot be made by this account`,
      `Make it: sudo install -d -m 700 -o "$(id -un)" ${word}; ${elsewhere}`,
    );
  }
  if (uid !== our_uid)
    return problem(
      'data',
      `${path} belongs to another account (uid ${uid}, this is ${our_uid})`,
      `Run as its owner: sudo -u '#${uid}' npm start; ${elsewhere}`,
    );
  if (!writable)
    return problem(
      'data',
      `${path} cannot be written to`,
      `Allow it: chmod 700 ${word}; a read-only disk must be mounted for writing`,
    );
  const shown = mode.toString(8).padStart(3, '0');
  if ((mode & 0o077) !== 0)
    return problem('data', `${path} is open to other accounts (mode ${shown})`, `Close it: chmod 700 ${word}`);
  return ok('data', `${path} (mode ${shown})`);
}

const NETWORK =
  /^(nfs\d?|cifs|smb\d?|smbfs|ceph|afs|lustre|gpfs|glusterfs|ncpfs|fuse\.(sshfs|glusterfs|s3fs|rclone|gcsfuse|davfs2?))$/;
const SHARED = /^(9p|vboxsf|drvfs|virtiofs|fuse\.vmhgfs-fuse|fuse\.portal)$/;
/** Beyond the reserve: room for a checkpoint or two of a larger model. */
const COMFORT_BYTES = 5 * GB;

export function judgeDisk({ path, free_bytes, reserve_bytes, type }: DiskFacts): Finding[] {
  const free = `${(free_bytes / GB).toFixed(1)} GB free`;
  const room = `Free some space there (df -h ${shellWord(path)})`;
  const reserve = `LOWRANK_DISK_RESERVE_GB=${reserve_bytes / GB}`;
  const disk =
    free_bytes < reserve_bytes
      ? problem(
          'disk',
          `${free} at ${path}, less than the reserve (${reserve}): uploads and new runs are refused`,
          `${room}, or lower the reserve: LOWRANK_DISK_RESERVE_GB=0.5 npm start`,
        )
      : free_bytes < reserve_bytes + COMFORT_BYTES
        ? warning('disk', `${free} at ${path}: little room for checkpoints above the reserve (${reserve})`, room)
        : ok('disk', `${free} at ${path}${type === null ? '' : ` (${type})`}`);
  const local = 'Put the data on a local disk: LOWRANK_DATA_DIR=/path/on/a/local/disk npm start';
  if (type === null) return [disk];
  if (NETWORK.test(type))
    return [
      disk,
      problem('file system', `${path} lies on a network drive (${type}): locks and fsync are not to be trusted there`, local),
    ];
  if (SHARED.test(type))
    return [
      disk,
      warning(
        'file system',
        `${path} lies on a drive shared with another system (${type}): slow, and its locks may not hold`,
        local,
      ),
    ];
  if (type === 'tmpfs' || type === 'ramfs')
    return [disk, warning('file system', `${path} lies in memory (${type}): it is gone after a restart of the machine`, local)];
  if (type === 'overlay')
    return [
      disk,
      warning(
        'file system',
        `${path} lies in a container's own layer (${type}): it goes with the container`,
        'Mount a volume there (docker: -v lowrank:/path) and name it: LOWRANK_DATA_DIR=/path npm start',
      ),
    ];
  return [disk];
}

/** The type of the file system that `path` (real, absolute) lies on, from the text of /proc/self/mountinfo. */
export function fileSystemOf(path: string, mountinfo: string): string | null {
  let best = { mount: '', type: null as string | null };
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const type = right.split(' ')[0];
    // Blanks in a mount point are written as octal.
    const mount = left.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (!type || mount === undefined) continue;
    const below = path === mount || path.startsWith(mount.endsWith('/') ? mount : `${mount}/`);
    // Of two mounts on one point the later one is seen.
    if (below && mount.length >= best.mount.length) best = { mount, type };
  }
  return best.type;
}

/** The folder itself, or the nearest one above it that exists. */
async function nearest(path: string): Promise<string> {
  for (let step = path; ; step = dirname(step)) {
    const there = await realpath(step).catch(() => null);
    if (there !== null) return there;
    if (step === dirname(step)) return step;
  }
}

async function readFolder(path: string): Promise<FolderFacts> {
  const found = await stat(path).catch(() => null);
  const at = await nearest(path);
  const writable = await access(at, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const our_uid = process.getuid?.() ?? 0;
  const kind = found === null ? 'missing' : found.isDirectory() ? 'folder' : 'file';
  return { path, kind, mode: (found?.mode ?? 0) & 0o777, uid: found?.uid ?? our_uid, our_uid, writable };
}

async function readDisk(path: string): Promise<DiskFacts> {
  const at = await nearest(path);
  const { bavail, bsize } = await statfs(at);
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return {
    path: at,
    free_bytes: bavail * bsize,
    reserve_bytes: storageLimits().disk_reserve_bytes,
    type: fileSystemOf(at, mountinfo),
  };
}

/** `database_home`: where the embedded server's files lie when they are not below the data directory. */
export function dataChecks(data_dir: string, database_home: () => Promise<string | null>): Check[] {
  return [
    { topic: 'data', within_ms: 10_000, look: async () => [judgeFolder(await readFolder(data_dir))] },
    {
      topic: 'disk',
      within_ms: 10_000,
      look: async () => {
        const here = judgeDisk(await readDisk(data_dir));
        const home = await database_home().catch(() => null);
        if (home === null || home.startsWith(join(data_dir, '/'))) return here;
        const [one, other] = await Promise.all([stat(await nearest(data_dir)), stat(await nearest(home))]);
        return one.dev === other.dev ? here : [...here, ...judgeDisk(await readDisk(home))];
      },
    },
  ];
}
