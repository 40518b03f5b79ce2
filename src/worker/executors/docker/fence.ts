/** What stands over a container's trainer where its worker may be gone: fence.py, and the word that it leaves. */
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, lstat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { FENCED_FILE } from './container.ts';

const PROGRAM = join(import.meta.dirname, 'fence.py');

/**
 * Lays a copy for one run, which its account can read whatever the checkout's mode. It is there whole: a launch beside this one may
 * start it just now.
 */
export async function layFence(path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await copyFile(PROGRAM, temporary);
  await chmod(temporary, 0o644);
  await rename(temporary, path);
}

/** If the run with these outputs ended itself because no worker answered for it. */
export function hasFencedItself(output_path: string): Promise<boolean> {
  return lstat(join(output_path, FENCED_FILE)).then(
    () => true,
    () => false,
  );
}
