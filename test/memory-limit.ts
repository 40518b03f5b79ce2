/** A host that runs out of memory, for what is started through it: the kernel's own limit where a machine lets us set one. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface MemoryLimit {
  /** The kernel ends who takes too much; otherwise nobody is ended, and `countKill` makes the counter say that somebody was. */
  real: boolean;
  /** A command that ends by becoming the one behind it, under the limit. */
  through: string[];
  countKill(): Promise<void>;
  remove(): Promise<void>;
}

/** Limits memory by a cgroup, which takes root and the controller; elsewhere only the counter is there. `folder` is for its files. */
export async function limitMemory(bytes: number, folder: string): Promise<MemoryLimit> {
  return (await cgroupLimit(bytes)) ?? countedOnly(folder);
}

async function cgroupLimit(bytes: number): Promise<MemoryLimit | null> {
  for (const line of (await readFile('/proc/self/cgroup', 'utf8')).trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const second = controllers === '';
    if (!second && !controllers.split(',').includes('memory')) continue;
    const group = join('/sys/fs/cgroup', second ? '' : 'memory', path, `lowrank-test-${process.pid}`);
    try {
      await mkdir(group);
    } catch {
      continue;
    }
    const remove = () => removeGroup(group);
    try {
      await writeFile(join(group, second ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes), { flag: 'r+' });
      // What would be swapped out would never be missed.
      await writeFile(join(group, second ? 'memory.swap.max' : 'memory.swappiness'), '0', { flag: 'r+' });
    } catch {
      await remove();
      continue;
    }
    const through = ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group];
    return { real: true, through, countKill: async () => undefined, remove };
  }
  return null;
}

/** A cgroup goes when its last process has been taken away by the kernel. */
async function removeGroup(group: string): Promise<void> {
  for (const until = performance.now() + 10_000; existsSync(group); await pause(20)) {
    await rmdir(group).catch(() => undefined);
    if (performance.now() > until) throw new Error(`${group} has processes still`);
  }
}

/** No cgroup counts kills here, so the host's own counter is asked: a file of ours stands in its place. */
async function countedOnly(folder: string): Promise<MemoryLimit> {
  const counter = join(folder, 'vmstat');
  await writeFile(counter, 'oom_kill 0\n');
  const mounts = 'mount -t tmpfs none /sys/fs/cgroup && mount --bind "$0" /proc/vmstat && exec "$@"';
  return {
    real: false,
    through: ['unshare', '-Urm', 'sh', '-c', mounts, counter],
    // In place: what is mounted is this very file.
    countKill: () => writeFile(counter, 'oom_kill 1\n'),
    remove: () => rm(counter, { force: true }),
  };
}
