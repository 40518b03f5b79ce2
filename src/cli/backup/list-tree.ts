import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface TreeEntry {
  /** Its name in the archive, such as `data/runs/…`. */
  name: string;
  /** The folder that is trusted, and the way below it. */
  root: string;
  relative: string;
  kind: 'file' | 'folder';
  /** Permission bits. */
  mode: number;
  bytes: number;
  modified_ms: number;
}

/**
 * Everything below `root`, folders before what lies in them, as `prefix/…`. `skip` leaves a path (relative to root) and
 * what lies below it out; `strange` hears of links, sockets and the like, which are left out, too.
 */
export async function listTree(
  root: string,
  prefix: string,
  skip: (relative: string) => boolean,
  strange: (path: string) => void,
): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  const walk = async (relative: string): Promise<void> => {
    for (const name of (await readdir(join(root, relative))).sort()) {
      const below = relative === '' ? name : `${relative}/${name}`;
      if (skip(below)) continue;
      const path = join(root, below);
      const about = await lstat(path);
      const kind = about.isFile() ? 'file' : about.isDirectory() ? 'folder' : null;
      if (kind === null) {
        strange(path);
        continue;
      }
      const { mode, size, mtimeMs } = about;
      found.push({
        name: `${prefix}/${below}`,
        root,
        relative: below,
        kind,
        mode: mode & 0o777,
        bytes: kind === 'file' ? size : 0,
        modified_ms: mtimeMs,
      });
      if (kind === 'folder') await walk(below);
    }
  };
  await walk('');
  return found;
}
