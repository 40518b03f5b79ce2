import { readFileSync } from 'node:fs';
import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env } from '#/env.ts';
import { CommandError } from './command-error.ts';

interface Holder {
  pid: number;
  start: string;
  /** Where people find it: PUBLIC_URL, or where it listens. */
  url: string;
  /** Where this machine finds it, whatever stands in front of it. */
  listens: string;
}

/** When a process began, in the kernel's own ticks: a pid alone is given out again. Null when it is gone or a zombie. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    // No /proc entry: on Linux the process is gone; elsewhere only the kernel's answer to a signal tells.
    try {
      process.kill(pid, 0);
      return process.platform === 'linux' ? null : 'alive';
    } catch {
      return null;
    }
  }
}

const FILE = () => join(env.data_dir, 'studio.json');

/** The studio that runs on this data directory, or null. */
export function runningStudio(): Holder | null {
  let holder: Holder;
  try {
    const told = JSON.parse(readFileSync(FILE(), 'utf8')) as Omit<Holder, 'listens'> & Partial<Holder>;
    holder = { ...told, listens: told.listens ?? told.url };
  } catch {
    return null;
  }
  return processStart(holder.pid) === holder.start ? holder : null;
}

/** Claims the data directory for this process, which `listens` there. Throws when another studio has it; returns what gives it back. */
export async function claimStudio(url: string, listens = url): Promise<() => Promise<void>> {
  const file = FILE();
  const staged = `${file}.${process.pid}`;
  const holder: Holder = { pid: process.pid, start: processStart(process.pid) ?? '', url, listens };
  await writeFile(staged, JSON.stringify(holder), { mode: 0o600 });
  try {
    for (let tries = 1; ; tries++) {
      const other = runningStudio();
      if (other !== null) {
        throw new CommandError(
          `A studio already runs on this data directory: ${other.url} (process ${other.pid}). Use it, or end it with Ctrl-C there.`,
          3,
        );
      }
      await rm(file, { force: true });
      try {
        await link(staged, file);
        return () => rm(file, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 5) throw error;
      }
    }
  } finally {
    await rm(staged, { force: true });
  }
}
