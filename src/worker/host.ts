/** This host as a worker: its lasting name, the lock that lets one worker at a time have its data directory, and its sign of life. */
import { createHash, randomUUID } from 'node:crypto';
import { constants, readFileSync, realpathSync } from 'node:fs';
import { link, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The host's own name, made once and kept in its data directory: under it a restarted worker finds its runs. */
export async function hostId(data_dir: string): Promise<string> {
  const path = join(data_dir, 'worker-id');
  const mine = `${path}.${process.pid}`;
  await mkdir(data_dir, { recursive: true, mode: 0o700 });
  await writeFile(mine, `${randomUUID()}\n`, { mode: 0o600 });
  try {
    // A name that is there stays.
    await link(mine, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(mine, { force: true });
  }
  return (await readFile(path, 'utf8')).trim();
}

/**
 * Takes the data directory for this worker until the process ends, however it ends: the kernel frees the name. Null
 * when another worker of this machine has it.
 */
export function lockHost(data_dir: string): Promise<{ release(): void } | null> {
  const name = createHash('sha256').update(realpathSync(data_dir)).digest('hex');
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    // A name of Linux's abstract namespace: bound by one process at a time, gone with it, and no file to clean up.
    server.listen(`\0lowrank-worker-${process.getuid?.() ?? 0}-${name}`, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}

/** The sign of life that runs are watched by: a file whose content changes while somebody answers for them. */
export interface Contact {
  path: string;
  /** Says that the worker answers for its runs. */
  beat(): Promise<void>;
  /** Says that the worker stopped in order: its runs go on by themselves. */
  stopped(): Promise<void>;
}

/** More than its words take: with the same length each time it needs no new space, which a full disk would not give. */
const CONTACT_BYTES = 256;

export function contactFile(path: string): Contact {
  let beat = 0;
  const write = async (state: 'watching' | 'stopped') => {
    beat += 1;
    const words = JSON.stringify({ state, pid: process.pid, beat, at: performance.now() });
    // In place, and for every account: containers have the file itself, and would keep one that was replaced.
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o644);
    try {
      await file.chmod(0o644);
      await file.write(words.padEnd(CONTACT_BYTES), 0);
    } finally {
      await file.close();
    }
  };
  return { path, beat: () => write('watching'), stopped: () => write('stopped') };
}

/** The product's version, as its package says it. */
export function productVersion(repo: string): string {
  return (JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')) as { version: string }).version;
}
