// Who listens on a TCP port of this machine, as /proc tells it.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface Listener {
  pid: number;
  /** Its command line, shortened. */
  command: string;
}

const LISTENING = '0A';
const COMMAND_CHARACTERS = 80;

/** The inodes of sockets that listen on `port`, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === LISTENING && Number.parseInt(local.split(':')[1] ?? '', 16) === port && inode !== undefined ? [inode] : [];
    });
}

/** The process that listens on `port`; null where it cannot be told (another account's, or no /proc). */
export async function findListener(port: number): Promise<Listener | null> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')));
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return null;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const folder = join('/proc', pid, 'fd');
    // Other accounts' processes do not show their files.
    for (const fd of await readdir(folder).catch(() => [])) {
      if (!sockets.has(await readlink(join(folder, fd)).catch(() => ''))) continue;
      const words = (await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
      const command = words.length > COMMAND_CHARACTERS ? `${words.slice(0, COMMAND_CHARACTERS - 1)}…` : words;
      return { pid: Number(pid), command };
    }
  }
  return null;
}
