// A running server as its data folder and the kernel describe it.
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';

export interface Postmaster {
  pid: number;
  port: number;
  /** True once it accepts connections. */
  ready: boolean;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}

/** What `postmaster.pid` says, or null where there is none or it is still being written. */
export async function readPostmaster(pgdata: string): Promise<Postmaster | null> {
  let text: string;
  try {
    text = await readFile(join(pgdata, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' };
}

/** Whether a process lives; a zombie does not, although a signal to it succeeds. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state !== 'Z' && state !== 'X';
  } catch {
    // Without /proc, or with it hidden from us, the answer of kill() stands.
    return true;
  }
}

/** Whether process `pid` is the PostgreSQL on `pgdata`; null where the kernel will not tell us. */
export async function servesFolder(pid: number, pgdata: string): Promise<boolean | null> {
  try {
    const folder = await realpath(pgdata);
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    if (words.includes(folder)) return true;
    // A folder that was moved under a running server: its working directory moved along.
    return (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === folder;
  } catch {
    return null;
  }
}

/** Processes of a dead server that still hold its folder: their working directory is `pgdata`. */
export async function leftBackends(pgdata: string): Promise<number[]> {
  const folder = await realpath(pgdata);
  const names = await readdir('/proc').catch(() => []);
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '');
    if (cwd === folder && (await isAlive(Number(name)))) found.push(Number(name));
  }
  return found;
}
